import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import fc from 'fast-check'
import { readEvents, writeEvent, type StreamEvent } from './event-stream.ts'

async function* bytesOf(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece
}

async function all(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const seen: StreamEvent[] = []
  for await (const event of events) seen.push(event)
  return seen
}

function read(...pieces: (string | Uint8Array)[]): Promise<StreamEvent[]> {
  return all(readEvents(bytesOf(pieces), 64))
}

test('reads events as the standard says', async () => {
  assert.deepEqual(await read('data: a\n\n'), [{ data: 'a' }])
  assert.deepEqual(await read('event: message\r\ndata:a\r\ndata:  b\r', '\n\r\n'), [{ data: 'a\n b' }])
  assert.deepEqual(await read('id: 7\nretry: 20\ndata: \n\n'), [{ data: undefined, id: '7', retryMs: 20 }])
  assert.deepEqual(await read(': still here\n\n'), [{ data: undefined }])
  assert.deepEqual(await read('event: ping\ndata: a\n\n', 'data: b\n\n', 'data: cut off'), [{ data: 'b' }])
  assert.deepEqual(await read('data: a\r\r', 'data: b\r\r'), [{ data: 'a' }, { data: 'b' }])
  assert.deepEqual(await read('id: a\u0000b\ndata: x\n\n'), [{ data: 'x' }])
})

test('refuses what is too large or not UTF-8', async () => {
  assert.equal((await read(`data: ${'x'.repeat(56)}\n\n`)).length, 1)
  await assert.rejects(read(`data: ${'x'.repeat(57)}\n\n`), Fault)
  await assert.rejects(read(`data: ${'x'.repeat(60)}`), Fault)
  await assert.rejects(read(': c\n'.repeat(30)), Fault)
  await assert.rejects(read(Uint8Array.of(0xff, 0x0a, 0x0a)), Fault)
})

test('what is written is read again, however it is cut', async () => {
  const event = fc.record(
    { data: fc.json().filter((text) => text !== ''), id: fc.stringMatching(/^[a-z0-9]{1,8}$/), retryMs: fc.nat(1000) },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 4 }), fc.integer({ min: 1, max: 9 }), async (events, step) => {
      const bytes = Buffer.concat(events.map(writeEvent))
      const pieces = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) => bytes.subarray(index * step, (index + 1) * step))
      assert.deepEqual(await all(readEvents(bytesOf(pieces), 100_000)), events)
    }),
    { numRuns: 60 },
  )
})

test('an event that comes in very small pieces costs no more than its length', async () => {
  const bytes = Buffer.from(`data: ${'x'.repeat(1_000_000)}\n\n`)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 20) }, (_, index) => bytes.subarray(index * 20, (index + 1) * 20))
  const { user } = process.cpuUsage()
  assert.equal((await all(readEvents(bytesOf(pieces), 2_000_000)))[0]?.data?.length, 1_000_000)
  assert.ok(process.cpuUsage().user - user < 2_000_000)
})
