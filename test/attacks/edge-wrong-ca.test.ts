import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentNames, makeAuthority } from '../fixtures/edge-pki.ts'
import { get, openGate } from '../fixtures/edge-gate.ts'

for (const [title, authorityName] of [
  ['an unknown authority', 'Other Root'],
  ['another authority of the same name', 'Test Root'],
] as const) {
  test(`[D2] the right name from ${title} never reaches the handler`, async () => {
    const gate = await openGate()
    const other = await makeAuthority(authorityName)
    const { certificatePem, keyPem } = await other.issue({ names: agentNames })
    const caller = await gate.connect({ cert: certificatePem, key: keyPem })
    caller.send(get())
    assert.equal(await caller.rest(), '')
    await gate.seen(({ kind }) => kind === 'connection-refused')
    assert.deepEqual(gate.handled, [])
    assert.ok(!gate.events.some(({ kind }) => kind === 'connection-opened'))
  })
}

test('[D2] after the roots are replaced, certificates of the old root open no new connection', async () => {
  const gate = await openGate()
  const next = await makeAuthority('Next Root')
  const fresh = await next.issue()
  gate.edge.replaceTls({ ...gate.tls, rootsPem: [next.rootPem] })

  const late = await gate.connect()
  late.send(get())
  assert.equal(await late.rest(), '')
  assert.deepEqual(gate.handled, [])

  const caller = await gate.connect({ cert: fresh.certificatePem, key: fresh.keyPem })
  caller.send(get('connection: close'))
  assert.match(await caller.rest(), /^HTTP\/1\.1 200 /)
  assert.equal(gate.handled.length, 1)
})
