import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { answerOk, get, openGate, post } from '../fixtures/edge-gate.ts'

test('drain ends idle connections, finishes what is in flight and takes nothing new', async () => {
  const release = Promise.withResolvers<void>()
  const handle = async () => {
    await release.promise
    return answerOk
  }
  const gate = await openGate({ handle })
  const idle = await gate.connect()
  const busy = await gate.connect()
  await gate.seen(() => gate.events.length === 2)
  busy.send(get())
  await gate.asked(1)

  const drained = gate.edge.drain(10_000)
  assert.equal(await idle.rest(), '')
  const late = await gate.connect()
  assert.equal(await late.rest(), '')

  release.resolve()
  assert.match(await busy.rest(), /^HTTP\/1\.1 200 [^]*connection: close[^]*hello$/)
  await drained
  assert.equal(gate.handled.length, 1)
})

test('a request that waits on a kept connection while the gateway drains is refused clearly', async () => {
  const second = Promise.withResolvers<void>()
  async function* slowly() {
    yield Buffer.from('one')
    await second.promise
    yield Buffer.from('two')
  }
  const gate = await openGate({ handle: () => Promise.resolve({ status: 200, headers: [], body: slowly() }) })
  const caller = await gate.connect()
  caller.send(get() + get())
  await caller.receive((received) => received.includes('one'))
  const drained = gate.edge.drain(10_000)
  second.resolve()
  const answers = await caller.rest()
  assert.match(answers, /two\r\n0\r\n\r\nHTTP\/1\.1 503 [^]*connection: close[^]*edge\.draining/)
  await drained
  assert.equal(gate.handled.length, 1)
})

test('a connection that only skips the rest of a body is closed once that has come', async () => {
  const gate = await openGate()
  const caller = await gate.connect()
  caller.send(post(['content-length: 10'], 'half'))
  await caller.receive((received) => received.endsWith('hello'))
  const drained = gate.edge.drain(10_000)
  caller.send('-other')
  assert.match(await caller.rest(), /hello$/)
  await drained
  assert.ok(gate.events.some((event) => event.kind === 'connection-closed' && event.reason === 'drained'))
})

test('at the deadline what is left is ended by force', async () => {
  const gate = await openGate({ handle: () => new Promise(() => undefined) })
  const caller = await gate.connect()
  caller.send(get())
  await gate.asked(1)
  await gate.edge.drain(100)
  assert.equal(await caller.rest(), '')
  assert.equal(gate.handled[0]?.signal.aborted, true)
})

test('a handshake that has not come far does not keep the gateway open', async () => {
  const gate = await openGate()
  const socket = connect(gate.edge.address.port, '127.0.0.1')
  const ended = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve))
  await once(socket, 'connect')
  const caller = await gate.connect() // accepted after the silent one
  await gate.edge.close()
  await caller.ended
  await ended
  assert.deepEqual(gate.handled, [])
})
