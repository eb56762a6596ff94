import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { findUnmatched, type Occurrence } from './unmatched.ts'

type Placed = Occurrence & { readonly place: string }

const tolerance = { within: 10, skew: 2 }
const on = (at: number, key = 's'): Placed => ({ at, key, place: `${key}@${at}` })
const places = (effects: readonly Placed[], causes: readonly Placed[]): readonly string[] =>
  findUnmatched(effects, causes, tolerance).map(({ effect, why }) => `${effect.place} ${why}`)

test('what has a cause of its own key within the time is not reported', () => {
  assert.deepEqual(places([on(10), on(40), on(30, 'other')], [on(0), on(42), on(25, 'other')]), [])
})

test('a cause of another key, too old or too young explains nothing', () => {
  assert.deepEqual(places([on(20)], [on(20, 'other'), on(9), on(23)]), ['s@20 none'])
})

test('a cause explains one effect: the second is reported as used', () => {
  assert.deepEqual(places([on(5), on(6)], [on(1)]), ['s@6 used'])
})

test('never more is reported than in the best way of giving causes out', () => {
  const occurrences = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }).map((times) => times.map((at, index) => ({ ...on(at), place: `${index}` })))
  fc.assert(
    fc.property(occurrences, occurrences, (effects, causes) => {
      assert.equal(findUnmatched(effects, causes, tolerance).length, effects.length - mostMatched(effects, causes))
    }),
    { numRuns: 500 },
  )
})

/** The size of the greatest matching, by trying all. */
function mostMatched([effect, ...rest]: readonly Occurrence[], causes: readonly Occurrence[]): number {
  if (!effect) return 0
  const without = mostMatched(rest, causes)
  const tries = causes.flatMap((cause, index) =>
    cause.at >= effect.at - tolerance.within && cause.at <= effect.at + tolerance.skew ? [1 + mostMatched(rest, causes.toSpliced(index, 1))] : [],
  )
  return Math.max(without, ...tries)
}
