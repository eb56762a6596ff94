import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dataOf, EventSplitter } from './event-splitter.ts'

const stream = 'event: a\ndata: {"x":1}\n\n: ping\n\ndata: one\r\ndata:two\r\n\r\ndata: ü\r\rdata: [DONE]\n\nid: 7\n\n'
const datas = ['{"x":1}', undefined, 'one\ntwo', 'ü', '[DONE]', undefined]

test('events are found whatever the borders of the pieces, and no byte is lost', () => {
  const bytes = Buffer.from(stream)
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: bytes.length }), { maxLength: 40 }), (cuts) => {
      const borders = [0, ...cuts.sort((one, other) => one - other), bytes.length]
      const splitter = new EventSplitter(1024)
      const events = borders.slice(1).flatMap((end, index) => splitter.take(bytes.subarray(borders[index], end)))
      assert.equal(Buffer.concat([...events, splitter.rest()]).toString(), stream)
      assert.deepEqual(
        events.map(dataOf).filter((data) => data !== undefined),
        datas.filter((data) => data !== undefined),
      )
    }),
  )
})

test('what has not ended is held, up to a limit', () => {
  const splitter = new EventSplitter(8)
  assert.deepEqual(splitter.take(Buffer.from('data: x\n')), [])
  assert.equal(splitter.isOverfull, false)
  assert.deepEqual(splitter.take(Buffer.from('data: y')), [])
  assert.equal(splitter.isOverfull, true)
  assert.equal(Buffer.from(splitter.rest()).toString(), 'data: x\ndata: y')
})
