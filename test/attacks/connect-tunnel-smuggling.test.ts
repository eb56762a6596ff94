import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askInTunnel, askRaw, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const post = 'POST /invoices HTTP/1.1\r\nHost: crm.internal\r\n'
const hidden = 'GET /smuggled HTTP/1.1\r\nHost: crm.internal\r\n\r\n'

const ambiguous: Record<string, string> = {
  'length and chunks': `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'two lengths': `${post}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'a list of lengths': `${post}Content-Length: 0, ${hidden.length}\r\n\r\n${hidden}`,
  'another encoding': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
  'a folded encoding': `${post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n${hidden}`,
  'a space before the colon': `${post}Content-Length : ${hidden.length}\r\n\r\n${hidden}`,
  'a bare LF': `${post.replaceAll('\r\n', '\n')}Content-Length: 0\n\n${hidden}`,
  'a bare CR': `${post}X: a\rTransfer-Encoding: chunked\r\n\r\n${hidden}`,
  'two hosts': `${post}Host: everything\r\n\r\n${hidden}`,
  'a chunk that is longer than it says': `${post}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n${hidden}`,
}

for (const [name, bytes] of Object.entries(ambiguous)) {
  test(`inside a tunnel, ${name} hide no second request`, async (t) => {
    const { bridge, peer, secret } = await startBridge(t)
    const { inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), bytes)
    assert.doesNotMatch(inside, /HTTP\/1\.1 200 /)
    assert.ok(inside.split('HTTP/1.1 ').length <= 2, 'at most one answer, then the end')
    assert.deepEqual(
      peer.received.filter(({ target }) => target.includes('smuggled')),
      [],
    )
  })
}

test('what is pipelined behind CONNECT waits for the answer, and is judged as what is inside', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const head = connectHead('crm.internal:80', secret)
  const answer = await askRaw(bridge.port, `${head}GET /one HTTP/1.1\r\nHost: crm.internal\r\nConnection: close\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 .*"target":"\/http\/crm\/one"/s)
  const refused = await askRaw(bridge.port, `${connectHead('evil.example:80', secret)}GET /http/crm/two HTTP/1.1\r\nHost: 127.0.0.1:${bridge.port}\r\n\r\n`)
  assert.match(refused, /^HTTP\/1\.1 403 /)
  assert.equal(refused.split('HTTP/1.1 ').length, 2)
  assert.ok(!peer.received.some(({ target }) => target.endsWith('/two')))
})

test('CONNECT behind a request that is not answered yet ends the connection: its answer could be taken for the other one', async (t) => {
  const { bridge, peer, secret } = await startBridge(t, { handler: (incoming) => incoming.url === '/http/crm/slow' })
  const slow = `GET /http/crm/slow HTTP/1.1\r\nHost: 127.0.0.1:${bridge.port}\r\nX-Sallyport-Secret: ${secret}\r\n\r\n`
  assert.equal(await askRaw(bridge.port, `${slow}${connectHead('crm.internal:80', secret)}`), '')
  assert.deepEqual(peer.received, [])
})
