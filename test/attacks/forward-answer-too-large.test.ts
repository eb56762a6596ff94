// An endless answer fills memory or the agent's disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const limit = { ...loopbackAllowed, answerBytesMax: '1KiB' } as const

test('an answer that announces more than its limit is refused', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('x'.repeat(1025))))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...limit })
  const seen = await forwarding.call()
  assert.equal(seen.code, 'forward.answer-too-large')
  assert.equal(seen.body, '')
})

test('an answer of exactly its limit passes', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('x'.repeat(1024))))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...limit })
  assert.equal((await forwarding.call()).body.length, 1024)
})

test('an answer that does not say how long it is breaks off at its limit', async () => {
  await using upstream = await RawUpstream.start((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    const write = (): void => {
      while (!socket.destroyed && socket.write(`100\r\n${'x'.repeat(256)}\r\n`));
    }
    socket.on('drain', write)
    write()
  })
  await using forwarding = new HttpForwarding({ url: upstream.url, ...limit })
  const closed = upstream.connectionClosed()
  const seen = await forwarding.call()
  assert.ok(seen.body.length <= 1024)
  assert.deepEqual([seen.facts?.result, seen.facts?.code], ['failed', 'forward.answer-too-large'])
  await closed
})
