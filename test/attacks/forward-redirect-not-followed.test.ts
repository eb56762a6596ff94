// An upstream that is taken over redirects the gateway, with its credential, to wherever it likes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

for (const status of [301, 302, 303, 307, 308]) {
  test(`a ${status} is passed to the agent and leads the gateway nowhere`, async () => {
    await using elsewhere = await RawUpstream.start((socket) => void socket.write(answerText('stolen')))
    await using upstream = await RawUpstream.start(
      (socket) => void socket.write(`HTTP/1.1 ${status} Moved\r\nlocation: ${elsewhere.url}/steal\r\ncontent-length: 0\r\n\r\n`),
    )
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential: { secret: 'crm' } }, { secret: 'the-secret-value' })
    const seen = await forwarding.call()
    assert.equal(seen.status, status)
    assert.equal(seen.headers.get('location'), `${elsewhere.url}/steal`)
    assert.equal(upstream.requests.length, 1)
    assert.equal(elsewhere.connections, 0)
  })
}
