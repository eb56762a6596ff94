// An upstream that repeats what it was sent (an echo endpoint, a debug page, an error message) would hand the gateway's credential to the agent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed, readBody } from '../fixtures/http-forwarding.ts'
import { RawUpstream, type Script } from '../fixtures/raw-upstream.ts'

const secret = 'sk-live/9f2c"41e8&aa'
const credential = { secret: 'crm' }

async function withUpstream(script: Script, work: (forwarding: HttpForwarding, upstream: RawUpstream) => Promise<void>): Promise<void> {
  await using upstream = await RawUpstream.start(script)
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential }, { secret })
  await work(forwarding, upstream)
}

test('a credential in headers and body is blanked with as many asterisks [T15]', () => {
  const body = `{"headers":{"authorization":"Bearer ${secret}"},"json":${JSON.stringify(secret)},"url":"${encodeURIComponent(secret)}","b64":"${Buffer.from(secret).toString('base64')}"}`
  return withUpstream(
    (socket) =>
      void socket.write(
        `HTTP/1.1 200 OK\r\nx-echo: Bearer ${secret}\r\nlocation: /?k=${encodeURIComponent(secret)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    async (forwarding) => {
      const seen = await forwarding.call()
      assert.equal(seen.headers.get('x-echo'), `Bearer ${'*'.repeat(secret.length)}`)
      assert.equal(seen.headers.get('location'), `/?k=${'*'.repeat(encodeURIComponent(secret).length)}`)
      assert.equal(seen.body.length, body.length)
      assert.doesNotMatch(seen.body, /live|9f2c/)
      assert.ok(!seen.body.includes(Buffer.from(secret).toString('base64').replaceAll('=', '')))
    },
  )
})

test('a credential cut into pieces by the upstream is blanked too [T15]', () =>
  withUpstream(
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      for (const piece of ['<', ...secret, secret.slice(0, 5), 'x>']) socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
      socket.write('0\r\n\r\n')
    },
    async (forwarding) => {
      const seen = await forwarding.call()
      assert.equal(seen.body, `<${'*'.repeat(secret.length)}${secret.slice(0, 5)}x>`)
    },
  ))

test('an event passes before the next one is there [T15]', () =>
  withUpstream(
    (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: one\n\n'),
    async (forwarding) => {
      const forwarded = await forwarding.begin()
      assert.ok(forwarded.kind === 'answer' && !(forwarded.answer.body instanceof Uint8Array))
      for await (const piece of forwarded.answer.body) {
        assert.equal(Buffer.from(piece).toString(), 'data: one\n\n')
        break
      }
      assert.equal((await forwarded.finished).result, 'cancelled')
    },
  ))

test('the upstream is asked not to compress, and an answer that is compressed all the same is refused [T15]', () =>
  withUpstream(
    (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nzip!'),
    async (forwarding, upstream) => {
      const seen = await forwarding.call({ headers: [['accept-encoding', 'gzip, br']] })
      assert.equal(seen.code, 'forward.upstream-failed')
      assert.equal(seen.body, '')
      assert.deepEqual(upstream.requests[0]?.match(/^accept-encoding: .*$/gim), ['accept-encoding: identity'])
    },
  ))

test('no error of a broken answer holds the credential [T15]', () =>
  withUpstream(
    (socket) => void socket.end(`HTTP/1.1 banana ${secret}\r\n${secret}\r\n\r\n`),
    async (forwarding) => {
      const forwarded = await forwarding.begin()
      assert.ok(forwarded.kind === 'refused')
      assert.ok(!JSON.stringify(forwarded).includes('sk-live'))
    },
  ))

test('an upstream without a credential keeps its compression', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nzip!'))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const forwarded = await forwarding.begin({ headers: [['accept-encoding', 'gzip']] })
  assert.ok(forwarded.kind === 'answer')
  assert.equal((await readBody(forwarded.answer)).body, 'zip!')
  assert.match(upstream.requests[0] ?? '', /^accept-encoding: gzip\r$/m)
})
