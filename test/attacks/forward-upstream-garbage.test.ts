// A broken or hostile upstream answers with what is no HTTP, or with two meanings at once: the agent gets a refusal, never a guess.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { RawUpstream } from '../fixtures/raw-upstream.ts'

const garbage: Record<string, string> = {
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n',
  'random bytes': '\x16\x03\x01\x00\xff\x00\x00',
  'a status that is no number': 'HTTP/1.1 abc OK\r\n\r\n',
  'a status out of range': 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n',
  'another protocol version': 'HTTP/3.7 200 OK\r\ncontent-length: 0\r\n\r\n',
  'a header without a colon': 'HTTP/1.1 200 OK\r\nbroken header\r\n\r\n',
  'a header name with a space': 'HTTP/1.1 200 OK\r\nx y: 1\r\ncontent-length: 0\r\n\r\n',
  'a header value with a control character': 'HTTP/1.1 200 OK\r\nx-y: a\x01b\r\ncontent-length: 0\r\n\r\n',
  'a header value with a NUL': 'HTTP/1.1 200 OK\r\nx-y: a\0b\r\ncontent-length: 0\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc',
  'a length and chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
  'a length that is no number': 'HTTP/1.1 200 OK\r\ncontent-length: 2x\r\n\r\nab',
  'a negative length': 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
  'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  'a continue that nobody asked for': 'HTTP/1.1 100 Continue\r\n\r\n',
  'an endless head': `HTTP/1.1 200 OK\r\n${'x-fill: 0123456789\r\n'.repeat(5000)}\r\n`,
  nothing: '',
}

for (const [what, bytes] of Object.entries(garbage)) {
  test(`${what} is refused as a failed upstream`, async () => {
    await using upstream = await RawUpstream.start((socket) => void socket.end(bytes, 'latin1'))
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
    const seen = await forwarding.call()
    assert.equal(seen.code, 'forward.upstream-failed')
    assert.deepEqual([seen.facts?.result, seen.facts?.code], ['refused', 'forward.upstream-failed'])
    assert.equal(upstream.requests.length, 1, 'nothing is sent twice')
  })
}

const broken: Record<string, string> = {
  'an answer shorter than announced': 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf',
  'chunks without an end': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  'a chunk size that is no number': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\nmore\r\n0\r\n\r\n',
}

for (const [what, bytes] of Object.entries(broken)) {
  test(`${what} breaks off instead of ending`, async () => {
    await using upstream = await RawUpstream.start((socket) => void socket.end(bytes, 'latin1'))
    await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
    const seen = await forwarding.call()
    assert.equal(seen.body, 'half')
    assert.ok(seen.broken instanceof Fault && seen.broken.outcome === 'unknown')
    assert.deepEqual([seen.facts?.result, seen.facts?.code], ['failed', 'forward.upstream-failed'])
  })
}

test('a connection that is reset before an answer is refused, once', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.resetAndDestroy())
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  for (const method of ['GET', 'POST']) assert.equal((await forwarding.call({ method })).code, 'forward.upstream-failed')
  assert.equal(upstream.requests.length, 2)
})

test('a port that nobody listens on is refused, and nothing was sent', async () => {
  const upstream = await RawUpstream.start(() => {})
  const { url } = upstream
  await upstream[Symbol.asyncDispose]()
  await using forwarding = new HttpForwarding({ url, ...loopbackAllowed })
  const forwarded = await forwarding.begin()
  assert.ok(forwarded.kind === 'refused')
  assert.equal(forwarded.problem.code, 'forward.upstream-failed')
  assert.match(forwarded.problem.detail ?? '', /Nothing was sent/)
})
