import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, asyncProperty, constantFrom, integer, string } from 'fast-check'
import { EventTooLarge, readEvents, type StreamEvent } from './event-stream.ts'

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) return
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

async function read(text: string, sizes: readonly number[] = [], bytesMax = 1000): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEvents(pieces(Buffer.from(text), sizes), bytesMax)) events.push(event)
  return events
}

const event = (data: string, more: Partial<StreamEvent> = {}): StreamEvent => ({ id: undefined, event: 'message', data, retryMs: undefined, ...more })

const table: readonly [name: string, text: string, events: readonly StreamEvent[]][] = [
  ['one event', 'data: a\n\n', [event('a')]],
  ['without the space', 'data:a\n\n', [event('a')]],
  ['only one space is taken', 'data:  a\n\n', [event(' a')]],
  ['several data lines', 'data: a\ndata\ndata: b\n\n', [event('a\n\nb')]],
  ['an id stays', 'id: 1\ndata: a\n\ndata: b\n\n', [event('a', { id: '1' }), event('b', { id: '1' })]],
  ['an id with NUL is none', 'id: 1\0\ndata: a\n\n', [event('a')]],
  ['a priming event', 'id: 7\nretry: 20\ndata:\n\n', [event('', { id: '7', retryMs: 20 })]],
  ['a retry that is no number', 'retry: 1s\ndata: a\n\n', [event('a')]],
  ['a named event', 'event: ping\ndata: a\n\n', [event('a', { event: 'ping' })]],
  ['comments and unknown fields', ': hello\nfoo: bar\ndata: a\n: bye\n\n', [event('a')]],
  ['CR and CRLF', 'data: a\r\rdata: b\r\n\r\n', [event('a'), event('b')]],
  ['a byte order mark', '\uFEFFdata: a\n\n', [event('a')]],
  ['an event that breaks off', 'data: a\n\ndata: b\n', [event('a')]],
  ['only comments', ': a\n\n: b\n\n', []],
]

for (const [name, text, events] of table) {
  test(`reads ${name}`, async () => {
    assert.deepEqual(await read(text), events)
    assert.deepEqual(
      await read(
        text,
        Array.from({ length: 200 }, () => 1),
      ),
      events.slice(0, events.length),
      'byte by byte',
    )
  })
}

test('reads the same however the bytes are cut', async () => {
  const lines = array(constantFrom('data: ä', 'data', 'id: 3', 'event: x', '', ': c', 'retry: 5'), { maxLength: 12 })
  await check(
    asyncProperty(lines, constantFrom('\n', '\r\n', '\r'), array(integer({ min: 1, max: 5 }), { maxLength: 40 }), async (each, end, sizes) => {
      const text = each.map((line) => line + end).join('')
      assert.deepEqual(await read(text, sizes), await read(text))
    }),
    { numRuns: 200 },
  )
})

test('gives back the text that was sent', async () => {
  await check(
    asyncProperty(string({ unit: 'binary' }), async (text) => {
      const clean = text.replaceAll(/[\r\n]/g, ' ').toWellFormed()
      assert.deepEqual(await read(`data: ${clean}\n\n`, [], 10_000), [event(clean)])
    }),
    { numRuns: 200 },
  )
})

test('refuses an event or a line beyond its limit', async () => {
  await assert.rejects(read(`data: ${'x'.repeat(1001)}\n\n`), EventTooLarge)
  await assert.rejects(read(`data: ${'x'.repeat(600)}\ndata: ${'x'.repeat(600)}\n\n`), EventTooLarge)
  await assert.rejects(read('x'.repeat(1001)), EventTooLarge)
  await assert.rejects(read('data\n'.repeat(201)), EventTooLarge)
  await assert.rejects(read(`data: ${'x'.repeat(994)}\n\n`), EventTooLarge)
  assert.equal((await read(`data: ${'x'.repeat(993)}\n\n`)).length, 1)
})

test('an event that comes in very small pieces costs no more than its length', async () => {
  const { user } = process.cpuUsage()
  const [event] = await read(
    `data: ${'x'.repeat(1_000_000)}\n\n`,
    Array.from({ length: 50_000 }, () => 20),
    2_000_000,
  )
  assert.equal(event?.data.length, 1_000_000)
  assert.ok(process.cpuUsage().user - user < 2_000_000)
})
