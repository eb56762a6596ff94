import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { a2aGate, permitBilling, sending } from '../fixtures/a2a-gate.ts'

test('[F3] an agent calls another only where a rule lets it: nothing means no, for its card too', async () => {
  await using gate = await a2aGate()
  assert.equal((await gate.post(sending('hi'), {}, 'archive')).said, 'policy.no-rule')
  assert.equal((await gate.post('', {}, 'archive', '/a2a/billing/.well-known/agent-card.json')).said, 'policy.no-rule')
  assert.equal((await gate.post(sending('hi'), {}, 'bot', '/a2a/archive')).said, 'access.unknown-upstream')
  assert.equal((await gate.post(sending('hi'), {}, 'bot', '/http/billing')).said, 'access.unknown-upstream')
  assert.deepEqual(gate.peer.heard, [])
  assert.equal((await gate.post(sending('hi'))).said, 'answered')
})

test('[F2] on a private network too, nobody calls an agent through the gateway without a certificate', async () => {
  await using gate = await a2aGate()
  const [host = '', port = ''] = gate.agents.gate.whole.running.addresses.agents.split(':')
  const answered = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect({ host, port: Number(port), ca: gate.billing.bundlePem }, () => socket.write(`POST /a2a/billing HTTP/1.1\r\nhost: ${host}\r\n\r\n`))
    socket.on('data', (piece: Buffer) => (text += piece.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
  assert.equal(answered, '')
  assert.deepEqual(gate.peer.heard, [])
})

test('[F2] an agent is never called in the clear, even if something listens there', async () => {
  await using gate = await a2aGate()
  let heard = ''
  const plain = createServer((socket) =>
    socket
      .on('data', (piece) => ((heard += piece.toString('latin1')), socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')))
      .on('error', () => undefined),
  )
  await new Promise<void>((done) => plain.listen(0, '127.0.0.1', done))
  const address = plain.address()
  assert.ok(typeof address === 'object' && address)
  const { whole } = gate.agents.gate
  const at = (url: string): Promise<void> =>
    whole.configure([permitBilling], [], '127.0.0.1:0', { billing: { protocol: 'a2a', agent: 'acme/billing', url, addresses: { allow: ['127.0.0.1/32'] } } })
  await at(`http://127.0.0.1:${address.port}/rpc`)
  assert.match(JSON.stringify(await whole.admin('reload', { person: 'ada' })), /control\.configuration-invalid/)
  await at(`https://127.0.0.1:${address.port}/rpc`)
  assert.match(JSON.stringify(await whole.admin('reload', { person: 'ada' })), /activated/)
  assert.equal((await gate.post(sending('secret plans'))).said, 'forward.upstream-failed')
  assert.doesNotMatch(heard, /secret|POST/)
  plain.close()
})
