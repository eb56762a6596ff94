import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOk, get, openGate } from '../fixtures/edge-gate.ts'

test('a connection above the limit is dropped, the others go on', async () => {
  const gate = await openGate({ limits: { connections: 2 } })
  const first = await gate.connect()
  await gate.connect()
  const third = await gate.connect()
  assert.equal(await third.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'too-many-connections')
  first.send(get('connection: close'))
  assert.match(await first.rest(), /^HTTP\/1\.1 200 /)
})

test('one certificate cannot take the connections of the others', async () => {
  const gate = await openGate({ limits: { connectionsPerAgent: 1 } })
  const otherAgent = await gate.authority.issue()
  const first = await gate.connect()
  const second = await gate.connect()
  assert.equal(await second.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'too-many-connections-of-agent')
  const other = await gate.connect({ cert: otherAgent.certificatePem, key: otherAgent.keyPem })
  other.send(get('connection: close'))
  assert.match(await other.rest(), /^HTTP\/1\.1 200 /)

  first.socket.end()
  await gate.seen(({ kind }) => kind === 'connection-closed')
  await first.ended
  const again = await gate.connect()
  again.send(get('connection: close'))
  assert.match(await again.rest(), /^HTTP\/1\.1 200 /, 'a closed connection counts no more')
})

test('certificates of one agent share its connections', async () => {
  const gate = await openGate({ limits: { connectionsPerAgent: 1 }, agentOf: () => 'spiffe://test.example/tenant/acme/agent/bot' })
  const renewed = await gate.authority.issue()
  await gate.connect()
  const second = await gate.connect({ cert: renewed.certificatePem, key: renewed.keyPem })
  assert.equal(await second.rest(), '')
  await gate.seen((event) => event.kind === 'connection-refused' && event.reason === 'too-many-connections-of-agent')
})

test('a request above the limit in flight is refused, and its connection stays', async () => {
  const release = Promise.withResolvers<void>()
  const gate = await openGate({ limits: { requestsInFlight: 1 }, handle: async () => (await release.promise, answerOk) })
  const first = await gate.connect()
  const second = await gate.connect()
  first.send(get())
  await gate.asked(1)
  second.send(get())
  const refusal = await second.receive((received) => received.includes('edge.overloaded'))
  assert.match(refusal, /^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/)
  assert.equal(gate.handled.length, 1)
  release.resolve()
  await first.receive((received) => received.includes('hello'))
  second.send(get('connection: close'))
  assert.match(await second.rest(), /HTTP\/1\.1 200 /)
})
