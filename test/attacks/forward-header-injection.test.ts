// CWE-113: a line break in something the agent chooses ends a header, or the request, and begins another of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed, principal, upstreamName, type CallParts } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const attempts: Record<string, CallParts> = {
  'a header value with a line break': { headers: [['x-note', 'a\r\nx-admin: yes']] },
  'a header value with a lone line feed': { headers: [['x-note', 'a\nx-admin: yes']] },
  'a header value with a NUL': { headers: [['x-note', 'a\0b']] },
  'a header name with a line break': { headers: [['x-note: a\r\nx-admin', 'yes']] },
  'a header name with a space': { headers: [['x-admin ', 'yes']] },
  'a path with a line break': { path: '/things\r\nx-admin: yes' },
  'a path with a space and a version': { path: '/things HTTP/1.1' },
  'a path with an encoded line break': { path: '/things/a%0d%0ax-admin:%20yes' },
  'a path with an encoded NUL': { path: '/things/a%00' },
  'a query with a line break': { query: 'a=b\r\nx-admin: yes' },
  'a traceparent with more behind it': { headers: [['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-admin: yes']] },
}

for (const [what, parts] of Object.entries(attempts)) {
  test(`${what} is refused, and the upstream sees nothing`, async () => {
    await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
    const seen = await forwarding.call(parts)
    assert.equal(seen.code, 'access.malformed')
    assert.equal(upstream.connections, 0)
  })
}

test('an encoded line break in a query stays encoded', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  await forwarding.call({ query: 'text=a%0D%0Ax-admin:%20yes' })
  assert.equal(upstream.requests.length, 1)
  assert.ok(upstream.requests[0]?.startsWith('GET /things?text=a%0D%0Ax-admin:%20yes HTTP/1.1\r\n'))
})

test('an exchange writes no second line, whoever asks it to', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const { tenant, agent } = principal
  const plain = { upstream: upstreamName, tenant, agent, method: 'GET', target: '/', headers: [], body: undefined, signal: new AbortController().signal }
  await assert.rejects(forwarding.exchanges.send({ ...plain, headers: [['x-note', 'a\r\nx-admin: yes']] }), TypeError)
  await assert.rejects(forwarding.exchanges.send({ ...plain, target: '/ HTTP/1.1\r\nx-admin: yes\r\n\r\n' }), TypeError)
  assert.equal(upstream.connections, 0)
})
