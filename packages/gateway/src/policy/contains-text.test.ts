import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { containsText } from './contains-text.ts'

test('finds what the standard search finds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, text, (one, sought, other) => {
      assert.equal(containsText(one, sought), one.includes(sought))
      assert.ok(containsText(one + sought + other, sought))
    }),
    { numRuns: 2000 },
  )
})
