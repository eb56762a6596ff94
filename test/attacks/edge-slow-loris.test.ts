import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { BodyError, type Inbound } from '../../packages/gateway/src/edge/inbound.ts'
import { answerOk, get, openGate, post } from '../fixtures/edge-gate.ts'

test('a head that drips in is cut off at its deadline, though every byte comes in time', async () => {
  const gate = await openGate({ limits: { headMs: 300, keepAliveMs: 60_000 } })
  const caller = await gate.connect()
  const drip = setInterval(() => caller.send('a'), 20)
  caller.send('GET /')
  const answer = await caller.rest()
  clearInterval(drip)
  assert.match(answer, /^HTTP\/1\.1 408 [^]*edge\.timeout/)
  assert.deepEqual(gate.handled, [])
})

test('a body that drips in breaks at its deadline', async () => {
  const broken = Promise.withResolvers<unknown>()
  const handle = async (inbound: Inbound) => {
    try {
      for await (const piece of inbound.body?.read() ?? []) void piece
    } catch (error) {
      broken.resolve(error)
      throw error
    }
    return answerOk
  }
  const gate = await openGate({ limits: { bodyMs: 300 }, handle })
  const caller = await gate.connect()
  caller.send(post(['content-length: 1000'], 'a'))
  const drip = setInterval(() => caller.send('a'), 20)
  const answer = await caller.rest()
  clearInterval(drip)
  assert.match(answer, /^HTTP\/1\.1 408 [^]*edge\.timeout/)
  const error = await broken.promise
  assert.ok(error instanceof BodyError && error.code === 'edge.timeout')
})

test('a connection that asks nothing is closed', async () => {
  const gate = await openGate({ limits: { keepAliveMs: 200 } })
  const caller = await gate.connect()
  assert.equal(await caller.rest(), '')
  const event = await gate.seen(({ kind }) => kind === 'connection-closed')
  assert.ok(event.kind === 'connection-closed' && event.reason === 'idle')
})

test('a handshake that does not come is ended', async () => {
  const gate = await openGate({ limits: { handshakeMs: 200 } })
  const socket = connect(gate.edge.address.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'close')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'handshake-timeout')
})

test('a caller that does not read its answer is cut off, and the source of the answer ends', async () => {
  const ended = Promise.withResolvers<void>()
  async function* flood() {
    try {
      for (;;) yield Buffer.alloc(64 * 1024)
    } finally {
      ended.resolve()
    }
  }
  const gate = await openGate({ limits: { writeStallMs: 300 }, handle: () => Promise.resolve({ status: 200, headers: [], body: flood() }) })
  const caller = await gate.connect()
  caller.socket.pause()
  caller.send(get())
  const event = await gate.seen(({ kind }) => kind === 'connection-closed')
  assert.ok(event.kind === 'connection-closed' && event.reason === 'stalled')
  await ended.promise
  caller.socket.destroy()
})
