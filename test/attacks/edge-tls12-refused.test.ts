import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

test('a caller that speaks at most TLS 1.2 is refused', async () => {
  const gate = await openGate()
  const caller = await gate.connect({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
  caller.send(get())
  assert.equal(await caller.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.detail === 'ERR_SSL_UNSUPPORTED_PROTOCOL')
  assert.deepEqual(gate.handled, [])
})

test('a caller that speaks only HTTP/2 is refused', async () => {
  const gate = await openGate()
  const caller = await gate.connect({ ALPNProtocols: ['h2'] })
  caller.send(get())
  assert.equal(await caller.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.detail === 'ERR_SSL_NO_APPLICATION_PROTOCOL')
  assert.deepEqual(gate.handled, [])
})
