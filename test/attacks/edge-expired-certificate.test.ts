import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

const hourMs = 3_600_000

for (const [name, validity, detail] of [
  ['an expired certificate', { notBefore: new Date(Date.now() - 2 * hourMs), notAfter: new Date(Date.now() - 1000) }, 'CERT_HAS_EXPIRED'],
  ['a certificate of tomorrow', { notBefore: new Date(Date.now() + hourMs), notAfter: new Date(Date.now() + 2 * hourMs) }, 'CERT_NOT_YET_VALID'],
  ["a server's certificate", { usage: 'server' }, 'INVALID_PURPOSE'],
] as const) {
  test(`[D2] ${name} never reaches the handler`, async () => {
    const gate = await openGate()
    const { certificatePem, keyPem } = await gate.authority.issue(validity)
    const caller = await gate.connect({ cert: certificatePem, key: keyPem })
    caller.send(get())
    assert.equal(await caller.rest(), '')
    const event = await gate.seen(({ kind }) => kind === 'connection-refused')
    assert.ok(event.kind === 'connection-refused' && event.reason === 'certificate-refused')
    assert.equal(event.detail, detail)
    assert.deepEqual(gate.handled, [])
  })
}
