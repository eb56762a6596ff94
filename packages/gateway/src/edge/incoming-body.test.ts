import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LengthDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { BodyError } from './inbound.ts'
import { IncomingBody, type BodySource } from './incoming-body.ts'

/** Writes down what the body asks of its connection. */
function recordingSource(): BodySource & { asked: string[] } {
  const asked: string[] = []
  return { asked, begin: () => asked.push('begin'), hold: () => asked.push('hold'), resume: () => asked.push('resume') }
}

async function readAll(body: IncomingBody): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body.read()) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

test('a body comes out whole, whether it arrives before or after it is asked for', async () => {
  const source = recordingSource()
  const body = new IncomingBody(new LengthDecoder(6), source, 1024)
  assert.equal(body.receive(Buffer.from('xabc'), 1), 4)
  const read = readAll(body)
  assert.equal(body.receive(Buffer.from('defGET'), 0), 3)
  assert.equal(await read, 'abcdef')
  assert.ok(body.isComplete)
  assert.deepEqual(source.asked, ['begin'])
})

test('a reader that lags holds the socket, and frees it when it has caught up', async () => {
  const source = recordingSource()
  const body = new IncomingBody(new LengthDecoder(3000), source, 1024)
  body.receive(Buffer.alloc(1500), 0)
  assert.deepEqual(source.asked, ['hold'])
  const reader = body.read()[Symbol.asyncIterator]()
  await reader.next()
  assert.deepEqual(source.asked, ['hold', 'begin', 'resume'])
})

test('a flood of tiny chunks counts for more than its bytes', () => {
  const source = recordingSource()
  const body = new IncomingBody(new ChunkedDecoder(10_000), source, 1024)
  body.receive(Buffer.from('1\r\na\r\n'.repeat(10)), 0)
  assert.deepEqual(source.asked, ['hold'])
})

test('what arrived before the failure is read, then the failure is thrown', async () => {
  const body = new IncomingBody(new LengthDecoder(6), recordingSource(), 1024)
  body.receive(Buffer.from('abc'), 0)
  body.fail('edge.timeout', 'late')
  const reader = body.read()[Symbol.asyncIterator]()
  assert.equal(String((await reader.next()).value), 'abc')
  await assert.rejects(reader.next(), (error) => error instanceof BodyError && error.code === 'edge.timeout')
})

test('a failure wakes a reader that waits', async () => {
  const body = new IncomingBody(new ChunkedDecoder(100), recordingSource(), 1024)
  const read = readAll(body)
  body.receive(Buffer.from('zz'), 0)
  await assert.rejects(read, (error) => error instanceof BodyError && error.code === 'edge.malformed')
})

test('a body that was discarded never looks complete to a late reader', async () => {
  const body = new IncomingBody(new LengthDecoder(6), recordingSource(), 1024)
  body.receive(Buffer.from('abc'), 0)
  body.discard()
  await assert.rejects(readAll(body), BodyError)
})

test('a body is read once', () => {
  const body = new IncomingBody(new LengthDecoder(1), recordingSource(), 1024)
  body.read()
  assert.throws(() => body.read(), TypeError)
})
