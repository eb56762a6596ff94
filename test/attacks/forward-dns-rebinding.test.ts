// DNS rebinding: a name answers with a good address when it is checked, and with an inner one when it is used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

test('the address that was classified is the one that is dialled: the resolver is asked once per connection', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok`))
  const answers = ['127.0.0.1', '127.0.0.2', '10.0.0.1']
  let asked = 0
  await using forwarding = new HttpForwarding(
    { url: `http://localtest.example:${upstream.port}`, addresses: { allow: ['127.0.0.1/32'] } },
    { resolve: async () => [answers[asked++] ?? '127.0.0.1'] },
  )
  assert.equal((await forwarding.call()).body, 'ok')
  assert.equal(asked, 1)

  const rebound = await forwarding.call()
  assert.equal(rebound.code, 'forward.address-refused')
  assert.match(rebound.reason, /127\.0\.0\.2 is a loopback address/)
  const inner = await forwarding.call()
  assert.equal(inner.code, 'forward.address-refused')
  assert.equal(upstream.requests.length, 1)
  assert.equal(upstream.connections, 1)
})

test('a pinned upstream is dialled without asking the resolver, however it answers', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('pinned')))
  let asked = 0
  await using forwarding = new HttpForwarding(
    { url: `http://crm.example:${upstream.port}`, addresses: { pin: ['127.0.0.1'] } },
    {
      resolve: async () => {
        asked += 1
        return ['8.8.8.8']
      },
    },
  )
  assert.equal((await forwarding.call()).body, 'pinned')
  assert.equal(asked, 0)
})
