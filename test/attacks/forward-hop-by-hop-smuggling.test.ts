// RFC 9110 section 7.6.1: fields of one hop, and fields by which an agent would speak in a proxy's name, end at the gateway, in both directions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const smuggled: readonly (readonly [string, string])[] = [
  ['connection', 'keep-alive, x-listed, close'],
  ['x-listed', 'smuggled'],
  ['keep-alive', 'timeout=smuggled'],
  ['te', 'trailers, smuggled'],
  ['trailer', 'smuggled'],
  ['transfer-encoding', 'smuggled'],
  ['upgrade', 'smuggled'],
  ['http2-settings', 'smuggled'],
  ['proxy-connection', 'smuggled'],
  ['host', 'smuggled.example'],
  ['content-length', '5'],
  ['expect', 'smuggled'],
  ['forwarded', 'for=smuggled'],
  ['x-forwarded-for', 'smuggled'],
  ['x-forwarded-host', 'smuggled'],
  ['x-real-ip', 'smuggled'],
  ['x-http-method-override', 'smuggled'],
  ['x-original-url', '/smuggled'],
  ['x-rewrite-url', '/smuggled'],
  ['x-middleware-subrequest', 'smuggled'],
  ['x-sallyport-agent', 'smuggled'],
  ['x-remote-user', 'smuggled'],
  ['traceparent', 'smuggled'],
  ['tracestate', 'smuggled=1'],
]

test('what ends at the gateway does not reach the upstream, and what is named does', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, headers: ['x-request-note', 'x-listed'] })
  const kept: readonly (readonly [string, string])[] = [
    ['accept', 'application/json'],
    ['if-match', '"1"'],
    ['x-request-note', 'kept'],
  ]
  await forwarding.call({ headers: [...smuggled, ...kept] })
  const [request = ''] = upstream.requests
  assert.deepEqual(
    request.split('\r\n').filter((line) => line !== ''),
    ['GET /things HTTP/1.1', `host: 127.0.0.1:${upstream.port}`, 'connection: keep-alive', 'accept: application/json', 'if-match: "1"', 'x-request-note: kept'],
  )
})

test('a body is framed by the gateway: a judged one by the length of the value, an unread one as announced', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const framing: readonly (readonly [string, string])[] = [
    ['content-length', '3'],
    ['transfer-encoding', 'chunked'],
  ]
  await forwarding.call({ method: 'POST', headers: [...framing, ['content-type', 'application/json']], body: '{ "a" : 1 }' })
  await forwarding.call({ method: 'POST', headers: [...framing, ['content-type', 'text/plain']], body: 'plain' })
  await forwarding.call({ method: 'POST', headers: [...framing, ['content-type', 'text/plain']], body: pieces('one', 'two') })
  const [judged = '', announced = '', chunked = ''] = upstream.requests
  assert.ok(judged.endsWith('content-length: 7\r\n\r\n{"a":1}'))
  assert.ok(announced.endsWith('content-length: 5\r\n\r\nplain'))
  assert.ok(chunked.endsWith('transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n'))
  assert.equal(upstream.requests.length, 3)
})

test('an answer brings no field of its hop, no cookie and no word about the gateway’s own host', async () => {
  const fields = [
    'connection: x-listed',
    'x-listed: smuggled',
    'keep-alive: timeout=5',
    'proxy-authenticate: smuggled',
    'set-cookie: session=smuggled',
    'alt-svc: h2="smuggled:443"',
    'strict-transport-security: max-age=1',
    'clear-site-data: "*"',
    'x-sallyport-decision: smuggled',
    'X-Kept: yes',
  ]
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine', `${fields.join('\r\n')}\r\n`)))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const seen = await forwarding.call()
  assert.deepEqual([...seen.headers], [['x-kept', 'yes']])
  assert.equal(seen.body, 'fine')
})

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
