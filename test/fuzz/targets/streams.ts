import assert from 'node:assert/strict'
import { Fault } from '@sallyport/contract'
import fc from 'fast-check'
import { LineCutter } from '../../../packages/gateway/src/drivers/stdio-server/read-lines.ts'
import { EventSplitter } from '../../../packages/gateway/src/forward/event-splitter.ts'
import { readEvents as readUpstreamEvents, writeEvent } from '../../../packages/gateway/src/forward/mcp/event-stream.ts'
import { EventTooLarge, readEvents as readGatewayEvents } from '../../../packages/runtime/src/connect/event-stream.ts'
import { readLines } from '../../../packages/runtime/src/connect/read-lines.ts'
import { readPeerMessage } from '../../../packages/runtime/src/connect/rpc-message.ts'
import { bytesOf, cuts, inPieces, latin1, type Target } from '../target.ts'

/** Small, so that mutations reach it. */
const bytesMax = 512

const line = fc.constantFrom(
  'data: {"a":1}',
  'data:x',
  'data',
  'id: 7',
  'id',
  'event: message',
  'event: other',
  'retry: 10',
  ': comment',
  'x: y',
  'data: é😀',
  '',
  '',
)
const streams = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n', '\r'))
  .map(([lines, end]) => bytesOf(lines.map((text) => text + end).join('')))
const streamWords = [
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  'data:',
  'data\n',
  'id:',
  'event:',
  'retry:',
  'retry: 99999999999',
  ':',
  '\xef\xbb\xbf',
  '\xc3',
  '\xf0\x9f',
  '\x00',
]

interface SlowEvent {
  readonly lines: readonly (readonly [field: string, value: string])[]
}

/** The whole stream at once, by the letter of the HTML standard (9.2.6): the events that its blank lines end. */
function slowEvents(text: string): readonly SlowEvent[] {
  const lines = text.replace(/^\u{feff}/u, '').split(/\r\n|\n|\r/)
  lines.pop() // what no line end follows is no line yet
  const events: SlowEvent[] = []
  let held: (readonly [string, string])[] = []
  for (const each of lines) {
    if (each === '') {
      events.push({ lines: held })
      held = []
      continue
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(each) ?? []
    held.push([field, value])
  }
  return events
}

function last(event: SlowEvent, field: string): string | undefined {
  return event.lines.findLast(([name]) => name === field)?.[1]
}

function dataOf(event: SlowEvent): string {
  return event.lines
    .filter(([name]) => name === 'data')
    .map(([, value]) => value)
    .join('\n')
}

async function outcome<Item>(
  items: AsyncIterable<Item>,
  isDeclared: (error: unknown) => boolean,
): Promise<{ readonly items: readonly Item[]; readonly isRefused: boolean }> {
  const read: Item[] = []
  try {
    for await (const item of items) read.push(item)
    return { items: read, isRefused: false }
  } catch (error) {
    if (!isDeclared(error)) throw error
    return { items: read, isRefused: true }
  }
}

/** Of the events of an upstream the gateway reads what the standard says, however the bytes arrive; what it writes of one reads the same again. */
export const upstreamEventsTarget: Target = {
  name: 'events-of-upstream',
  inputs: streams,
  words: streamWords,
  bytesMax: 4096,
  async check(input) {
    const text = Buffer.from(input).toString('utf8')
    const isUtf8 = Buffer.from(text).equals(input)
    for (const pieces of cuts(input)) {
      const read = await outcome(readUpstreamEvents(inPieces(pieces), bytesMax), (error) => error instanceof Fault)
      const datas = read.items.flatMap(({ data }) => (data === undefined ? [] : [data]))
      const expected = slowEvents(text)
        .filter((event) => ['', 'message', undefined].includes(last(event, 'event')))
        .map(dataOf)
        .filter((data) => data !== '')
      assert.deepEqual(datas, expected.slice(0, datas.length))
      if (!read.isRefused) assert.equal(datas.length, expected.length)
      if (!read.isRefused && isUtf8) assert.ok(slowEvents(text).every((event) => dataOf(event).length <= bytesMax))
      for (const data of datas) assert.ok(Buffer.byteLength(data) <= bytesMax, 'an event beyond its limit was read')
      const again = await outcome(
        readUpstreamEvents(inPieces(read.items.filter(({ data }) => !data?.includes('\n')).map(writeEvent)), 4 * bytesMax),
        () => false,
      )
      assert.deepEqual(
        again.items,
        read.items.filter(({ data }) => !data?.includes('\n')),
      )
    }
  },
}

/** Of the events of the gateway the agent's side reads what the standard says, however the bytes arrive, and holds no more than its limit. */
export const gatewayEventsTarget: Target = {
  name: 'events-of-gateway',
  inputs: streams,
  words: streamWords,
  bytesMax: 4096,
  async check(input) {
    const text = Buffer.from(input).toString('utf8')
    for (const pieces of cuts(input)) {
      const read = await outcome(readGatewayEvents(inPieces(pieces), bytesMax), (error) => error instanceof EventTooLarge)
      const expected = slowEvents(text).filter((event) => event.lines.some(([field, value]) => isField(field, value)))
      assert.deepEqual(
        read.items.map(({ event, data }) => [event, data]),
        expected.slice(0, read.items.length).map((event) => [last(event, 'event') || 'message', dataOf(event)]),
      )
      if (!read.isRefused) assert.equal(read.items.length, expected.length)
      for (const { data } of read.items) assert.ok(data.length <= bytesMax, 'an event beyond its limit was read')
    }
  },
}

function isField(field: string, value: string): boolean {
  return field === 'data' || field === 'event' || field === 'id' || (field === 'retry' && /^[0-9]{1,9}$/.test(value))
}

/** Nothing is lost, added or moved when a stream is cut into its events, and each but the last ends with a blank line. */
export const splitterTarget: Target = {
  name: 'events-cut',
  inputs: streams,
  words: streamWords,
  bytesMax: 4096,
  check(input) {
    for (const pieces of cuts(input)) {
      const splitter = new EventSplitter(Number.MAX_SAFE_INTEGER)
      const events = pieces.flatMap((piece) => splitter.take(piece)).map(latin1)
      assert.equal([...events, latin1(splitter.rest())].join(''), latin1(input))
      assert.equal(events.length, slowEvents(latin1(input)).length)
      for (const event of events) assert.match(event, /^(?:[\r\n]|.*[\r\n]{2,3}|\n?.*\r\n\r)$/s)
    }
  },
}

const lines = fc
  .array(fc.constantFrom('{"jsonrpc":"2.0","id":1,"method":"ping"}', 'x', '', ' ', 'é', '\r'), { maxLength: 6 })
  .map((parts) => bytesOf(parts.join('\n')))

/** Both readers of lines agree with one that has all bytes before it, and keep their limit. */
export const linesTarget: Target = {
  name: 'lines',
  inputs: lines,
  words: ['\n', '\r\n', '\r', '\xff', 'x'.repeat(600)],
  bytesMax: 4096,
  async check(input) {
    const all = latin1(input).split('\n')
    const ended = all.slice(0, -1)
    for (const pieces of cuts(input)) {
      const cutter = new LineCutter(bytesMax)
      const cut: string[] = []
      let isRefused = false
      try {
        for (const piece of pieces) for (const each of cutter.take(piece)) cut.push(latin1(each))
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        isRefused = true
      }
      assert.equal(
        isRefused,
        all.some(({ length }) => length > bytesMax),
      )
      assert.deepEqual(
        cut,
        ended.slice(0, cut.length).map((text) => text.replace(/\r$/, '')),
      )
      if (!isRefused) assert.equal(cut.length, ended.length)

      const read = (await outcome(readLines(inPieces(pieces), bytesMax), () => false)).items.map((each) => (each.kind === 'line' ? each.text : 'too long'))
      const expected = all.map((text) => (text.length > bytesMax ? 'too long' : Buffer.from(text, 'latin1').toString('utf8').trim()))
      assert.deepEqual(
        read,
        expected.filter((text) => text !== ''),
      )
    }
  },
}

/** A message of a peer goes on as one line that says the same. */
export const peerMessageTarget: Target = {
  name: 'peer-message',
  inputs: fc.oneof(fc.json(), fc.constant('{"jsonrpc":"2.0",\r\n"id":1,"result":{}}')).map(bytesOf),
  words: ['\n', '\r', '\t', '{', '}', '"id":1', '"method":"x"', ',', '\xe2\x80\xa8', '\\n'],
  bytesMax: 2048,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const message = readPeerMessage(text)
    if (!message) return
    assert.doesNotMatch(message.line, /[\r\n]/)
    assert.deepEqual(JSON.parse(message.line), JSON.parse(text))
    assert.deepEqual(message.value, JSON.parse(text))
  },
}
