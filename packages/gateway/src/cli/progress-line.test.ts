import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { progressLine, progressStepsMin } from './progress-line.ts'

function written(isTTY: boolean, size: number): string {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY })
  const line = progressLine(stream)
  for (let done = 256; done <= size; done += 256) line.tell(done, size)
  line.clear()
  line.clear()
  return String(stream.read() ?? '')
}

test('long work says how far it is, once for each percent, on a line that is gone when anything else is written', () => {
  const text = written(true, 256_000)
  assert.equal(text.split('\r').length, 1 + 101 + 1)
  assert.match(text, /\r\[#{15}\.{15}\] 50 % of 256000 entries\r/)
  assert.ok(text.endsWith('100 % of 256000 entries\r\u001b[K'))
})

test('short work says nothing, nor does work whose words go to a file', () => {
  assert.equal(written(true, progressStepsMin - 1), '')
  assert.notEqual(written(true, progressStepsMin), '')
  assert.equal(written(false, 256_000), '')
})
