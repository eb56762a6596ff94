import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { GatheredBytes } from './gathered-bytes.ts'

test('what was gathered is what arrived, and is given once', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 30 }), (pieces) => {
      const gathered = new GatheredBytes()
      for (const piece of pieces) gathered.add(piece)
      const whole = Buffer.concat(pieces)
      assert.equal(gathered.length, whole.length)
      assert.deepEqual(Buffer.from(gathered.take()), whole)
      assert.equal(gathered.take().length, 0)
    }),
  )
})

test('a million tiny pieces take no more memory than their bytes', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const memory = (): number => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = memory()
  const gathered = new GatheredBytes()
  for (let count = 0; count < 1_000_000; count += 1) gathered.add(Uint8Array.of(count))
  assert.ok(memory() - before < 4_000_000)
  assert.equal(gathered.take().length, 1_000_000)
})
