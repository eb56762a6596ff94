// Slow upstreams hold connections and memory of the gateway: every wait has a deadline.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream, type Script } from '../fixtures/raw-upstream.ts'

const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'
const silent: Script = () => {}

test('an upstream that never answers is given up, and its connection closed', async () => {
  await using upstream = await RawUpstream.start(silent)
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { headers: '60ms' } })
  const closed = upstream.connectionClosed()
  const forwarded = await forwarding.begin({ method: 'POST' })
  assert.ok(forwarded.kind === 'refused')
  assert.equal(forwarded.problem.code, 'forward.upstream-timeout')
  assert.match(forwarded.problem.detail ?? '', /not known whether/)
  await closed
})

test('a head that drips is given up', async () => {
  await using upstream = await RawUpstream.start((socket) => {
    const timer = setInterval(() => socket.write('x'), 10)
    socket.write('HTTP/1.1 200 OK\r\nx-slow: ')
    socket.once('close', () => clearInterval(timer))
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { headers: '80ms' } })
  assert.equal((await forwarding.call()).code, 'forward.upstream-timeout')
})

test('an answer that stops in the middle breaks off after the idle deadline', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(`${head}half`))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { idle: '60ms' } })
  const seen = await forwarding.call()
  assert.equal(seen.body, 'half')
  assert.ok(seen.broken instanceof Fault && seen.broken.outcome === 'unknown')
  assert.deepEqual(seen.facts, {
    result: 'failed',
    status: 200,
    code: 'forward.upstream-timeout',
    reason: 'crm: silent for 60 ms',
    requestBytes: 0,
    answerBytes: 4,
  })
})

test('an answer that drips forever ends at the total deadline', async () => {
  await using upstream = await RawUpstream.start((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
    const timer = setInterval(() => socket.write('x'), 10)
    socket.once('close', () => clearInterval(timer))
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { total: '120ms' } })
  const seen = await forwarding.call()
  assert.equal(seen.facts?.code, 'forward.upstream-timeout')
})

test('interim answers without end do not put off the deadline', async () => {
  await using upstream = await RawUpstream.start((socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), 10)
    socket.once('close', () => clearInterval(timer))
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { headers: '80ms' } })
  assert.equal((await forwarding.call()).code, 'forward.upstream-timeout')
})

test('calls that wait for a connection are bounded, wait no longer than their deadline, and give their place back', async () => {
  await using upstream = await RawUpstream.start(silent)
  await using forwarding = new HttpForwarding(
    { url: upstream.url, ...loopbackAllowed, connections: 1, deadlines: { headers: '100ms' } },
    { limits: { waitingMax: 1 } },
  )
  const gone = new AbortController()
  const first = forwarding.call()
  while (upstream.requests.length === 0) await new Promise(setImmediate)
  const second = forwarding.call({ signal: gone.signal })
  const third = await forwarding.call()
  assert.equal(third.code, 'forward.upstream-busy')
  gone.abort()
  assert.equal((await second).facts?.result, 'cancelled')
  const fourth = forwarding.call()
  assert.equal((await first).code, 'forward.upstream-timeout')
  assert.equal((await fourth).code, 'forward.upstream-timeout')
  assert.ok(upstream.requests.length <= 2)
})

test('a name that is never resolved is given up, and nothing was sent', async () => {
  await using forwarding = new HttpForwarding({ url: 'http://crm.example', deadlines: { connect: '50ms' } }, { resolve: () => new Promise(() => {}) })
  const forwarded = await forwarding.begin()
  assert.ok(forwarded.kind === 'refused')
  assert.equal(forwarded.problem.code, 'forward.upstream-timeout')
  assert.match(forwarded.problem.detail ?? '', /Nothing was sent/)
})

test('an agent that goes away ends the exchange at the upstream', async () => {
  await using upstream = await RawUpstream.start(silent)
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const gone = new AbortController()
  const closed = upstream.connectionClosed()
  const seen = forwarding.call({ signal: gone.signal })
  while (upstream.requests.length === 0) await new Promise(setImmediate)
  gone.abort()
  assert.equal((await seen).facts?.result, 'cancelled')
  await closed
})

test('a slow agent slows the upstream instead of filling memory', async () => {
  const bodyBytes = 64 * 1024 * 1024
  let writtenBytes = 0
  await using upstream = await RawUpstream.start((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bodyBytes}\r\n\r\n`)
    const piece = Buffer.alloc(65_536, 'x')
    const write = (): void => {
      while (writtenBytes < bodyBytes && !socket.destroyed) {
        writtenBytes += piece.length
        if (!socket.write(piece)) return
      }
    }
    socket.on('drain', write)
    write()
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, deadlines: { idle: '50ms' } })
  const forwarded = await forwarding.begin()
  assert.ok(forwarded.kind === 'answer' && !(forwarded.answer.body instanceof Uint8Array))
  const body = forwarded.answer.body[Symbol.asyncIterator]()
  await body.next()
  // Until what the upstream could write stays the same: kernel buffers and ours are full.
  for (let before = -1; before !== writtenBytes; await new Promise((resolve) => setTimeout(resolve, 100))) before = writtenBytes
  assert.ok(writtenBytes < bodyBytes / 2, `${writtenBytes} bytes were taken without a reader`)
  let readBytes = 0
  for (let step = await body.next(); !step.done; step = await body.next()) readBytes += step.value.length
  assert.ok(readBytes > bodyBytes - 200_000)
  assert.deepEqual(await forwarded.finished, { result: 'answered', status: 200, requestBytes: 0, answerBytes: bodyBytes })
})

test('a whole answer keeps its connection for the next call', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, connections: 1 })
  assert.equal((await forwarding.call()).body, 'fine')
  assert.equal((await forwarding.call()).body, 'fine')
  assert.equal(upstream.connections, 1)
})
