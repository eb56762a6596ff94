import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Inbound } from '../../packages/gateway/src/edge/inbound.ts'
import { get, openGate } from '../fixtures/edge-gate.ts'

test('cut ends the sockets of a certificate at once, with what is in flight, and no others', async () => {
  const stopped = Promise.withResolvers<void>()
  const handle = async (inbound: Inbound) => {
    inbound.signal.addEventListener('abort', () => stopped.resolve(), { once: true })
    await stopped.promise
    return { status: 200, headers: [], body: Buffer.from('too late') }
  }
  const gate = await openGate({ handle })
  const otherAgent = await gate.authority.issue()
  const idle = await gate.connect()
  const busy = await gate.connect()
  const other = await gate.connect({ cert: otherAgent.certificatePem, key: otherAgent.keyPem })
  busy.send(get())
  await gate.asked(1)
  await gate.seen(() => gate.events.length === 3)

  const revoked = gate.handled[0]?.connection.certificate
  assert.ok(revoked)
  assert.equal(
    gate.edge.cut(({ certificate }) => Buffer.from(revoked).equals(certificate)),
    2,
  )
  assert.equal(gate.handled[0]?.signal.aborted, true, 'aborted before cut returned')
  await stopped.promise
  assert.equal(await idle.rest(), '')
  assert.equal(await busy.rest(), '', 'the late answer was not sent')

  other.send(get('connection: close'))
  assert.match(await other.rest(), /^HTTP\/1\.1 200 /)
})
