import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

test('[D2] a caller without a certificate never reaches the handler', async () => {
  const gate = await openGate()
  const caller = await gate.connect({ cert: undefined, key: undefined })
  caller.send(get())
  assert.equal(await caller.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'no-certificate')
  assert.deepEqual(gate.handled, [])
  assert.ok(!gate.events.some(({ kind }) => kind === 'connection-opened'))
})

test('[D2] a caller without TLS never reaches the handler', async () => {
  const gate = await openGate()
  const socket = connect(gate.edge.address.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.on('data', () => undefined)
  socket.write(get())
  await once(socket, 'close')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'handshake-failed')
  assert.deepEqual(gate.handled, [])
})
