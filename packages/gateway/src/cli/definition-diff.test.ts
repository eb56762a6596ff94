import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diffLines, escapeUnseen, visibleLines } from './definition-diff.ts'

test('what cannot be seen is written out, what can be read stays', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['plain text, Übergröße, 発注, Я', 'plain text, Übergröße, 発注, Я'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['turned\u202eround', 'turned\\u{202e}round'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['variation\ufe0f', 'variation\\u{fe0f}'],
    ['Hangul filler\u3164', 'Hangul filler\\u{3164}'],
    ['no-break\u00a0space', 'no-break\\u{a0}space'],
    ['C1 control\u009b31m', 'C1 control\\u{9b}31m'],
    ['combining\u0301', 'combining\\u{301}'],
    ['line\u2028separator', 'line\\u{2028}separator'],
  ]
  for (const [given, shown] of cases) assert.equal(escapeUnseen(given), shown)
  assert.deepEqual(visibleLines({ text: 'a\nb\u001b[2J' }), ['{', '  "text": "a\\nb\\u001b[2J"', '}'])
})

test('a diff holds every line of both, in order, and says of each where it is', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffLines(before, after)
      const of = (marks: string): string[] => diff.filter((line) => marks.includes(line.charAt(0))).map((line) => line.slice(2))
      assert.deepEqual(of(' -'), before)
      assert.deepEqual(of(' +'), after)
      if (before.join() === after.join()) assert.ok(diff.every((line) => line.startsWith('  ')))
    }),
  )
})

test('one changed line among equal ones is the only one that is marked', () => {
  assert.deepEqual(diffLines(['a', 'b', 'c'], ['a', 'x', 'c']), ['  a', '- b', '+ x', '  c'])
  const long = Array.from({ length: 3000 }, (_, line) => String(line))
  assert.equal(diffLines(long, [...long, 'more']).filter((line) => !line.startsWith('  ')).length, 1)
})
