import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { amountOf, costOf, millionths } from './price.ts'

test('cost is exact, and rounded up to a millionth', () => {
  const price = { input: 2.5, output: 10, cachedInput: 1.25 }
  assert.equal(costOf(price, { inputTokens: 100, outputTokens: 20, cachedInputTokens: 60 }), 375)
  assert.equal(costOf(price, { inputTokens: 1, outputTokens: 0 }), 3)
  assert.equal(costOf(price, { inputTokens: 0, outputTokens: 0 }), 0)
  assert.equal(costOf({ input: 0.000001, output: 0, cachedInput: 0 }, { inputTokens: 1, outputTokens: 0 }), 1)
  assert.equal(costOf({ input: 0.1, output: 0.2, cachedInput: 0 }, { inputTokens: 10_000_000, outputTokens: 10_000_000 }), 3_000_000)
})

test('an amount in the log says exactly how many millionths it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (amount) => {
      assert.equal(millionths(Number(JSON.parse(JSON.stringify(amountOf(amount))))), amount)
    }),
  )
})
