// CWE-113, RFC 9112 section 11.1: bytes after an answer are taken for the answer to the next agent's request, or a header for two.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const planted = answerText('planted', 'x-planted: yes\r\n')

test('a second answer behind the first is never given to the next call', async () => {
  await using upstream = await RawUpstream.start(
    (socket, _, index) => void socket.write(index === 0 ? `${answerText('first')}${planted}` : answerText('second')),
  )
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, connections: 1 })
  assert.equal((await forwarding.call()).body, 'first')
  const next = await forwarding.call()
  assert.equal(next.body, 'second')
  assert.equal(next.headers.get('x-planted'), undefined)
})

for (const [what, method, status] of [
  ['an answer to HEAD', 'HEAD', '200 OK'],
  ['a 204', 'GET', '204 No Content'],
  ['a 304', 'GET', '304 Not Modified'],
] as const) {
  test(`${what} with a body does not become the next answer`, async () => {
    const first = `HTTP/1.1 ${status}\r\ncontent-length: ${planted.length}\r\n\r\n${planted}`
    await using upstream = await RawUpstream.start((socket, _, index) => void socket.write(index === 0 ? first : answerText('second')))
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, connections: 1 })
    const bodiless = await forwarding.call({ method })
    assert.deepEqual([bodiless.body, bodiless.facts?.result], ['', 'answered'])
    assert.equal((await forwarding.call()).body, 'second')
  })
}

const lines: Record<string, string> = {
  'a folded line': 'x-a: one\r\n set-cookie: a=b\r\n',
  'a lone carriage return': 'x-a: one\rset-cookie: a=b\r\n',
}

for (const [what, header] of Object.entries(lines)) {
  test(`${what} in a header of the answer is refused`, async () => {
    await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('body', header)))
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, connections: 1 })
    assert.equal((await forwarding.call()).code, 'forward.upstream-failed')
  })
}
