import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventMeter } from './event-meter.ts'

test('an event ends at an empty line, however lines are broken and the stream is cut into pieces', () => {
  for (const lineBreak of ['\n', '\r', '\r\n']) {
    const event = `data: ${'x'.repeat(90)}${lineBreak}${lineBreak}`
    const stream = Buffer.from(event.repeat(20))
    for (const pieceBytes of [1, 7, 64, stream.length]) {
      const meter = new EventMeter()
      let largest = 0
      for (let at = 0; at < stream.length; at += pieceBytes) largest = Math.max(largest, meter.take(stream.subarray(at, at + pieceBytes)))
      // The second half of a break that ends an event is counted with the next one.
      assert.ok(largest >= 97 && largest <= event.length + 1, `${JSON.stringify(lineBreak)} in pieces of ${pieceBytes}: ${largest}`)
    }
  }
})

test('an event that does not end grows, over many lines too', () => {
  const meter = new EventMeter()
  let largest = 0
  for (let line = 0; line < 100; line += 1) largest = meter.take(Buffer.from('data: 0123456789\r\n'))
  assert.equal(largest, 1800)
})
