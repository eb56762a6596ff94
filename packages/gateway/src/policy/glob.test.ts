import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileGlob } from './glob.ts'

const rows: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ['crm', ['crm'], ['', 'cr', 'crmm', 'CRM', 'acrm']],
  ['*', ['', 'a', 'anything at all', '*'], []],
  ['get_*', ['get_', 'get_invoice'], ['get', 'Get_x', 'xget_']],
  ['*_invoice', ['_invoice', 'get_invoice'], ['get_invoices', 'invoice']],
  ['a*b*c', ['abc', 'axbxc', 'abbcc', 'abcbc'], ['ac', 'acb', 'ab', 'bac']],
  ['aba*aba', ['abaaba', 'abaxaba'], ['aba', 'ababa']],
  ['a.c', ['a.c'], ['abc']],
  ['[ab]?(c)', ['[ab]?(c)'], ['a', 'ac']],
  ['a\\*', ['a\\', 'a\\b'], ['a*', 'a']],
  ['**', ['', 'x'], []],
]

for (const [pattern, matching, others] of rows) {
  test(`the glob ${pattern} matches exactly what it says`, () => {
    const glob = compileGlob(pattern)
    for (const text of matching) assert.equal(glob.matches(text), true, text)
    for (const text of others) assert.equal(glob.matches(text), false, text)
  })
}

test('globs agree with a naive matcher', () => {
  const naive = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === ''
    if (pattern.startsWith('*')) return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)))
    return text !== '' && pattern[0] === text[0] && naive(pattern.slice(1), text.slice(1))
  }
  const word = (alphabet: string, maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...alphabet), maxLength })
  fc.assert(fc.property(word('ab*', 7), word('ab*', 9), (pattern, text) => compileGlob(pattern).matches(text) === naive(pattern, text)))
})

test('many stars over a long text take no time', () => {
  const glob = compileGlob('*a'.repeat(120) + '*b')
  const started = performance.now()
  assert.equal(glob.matches('a'.repeat(65_536)), false)
  assert.ok(performance.now() - started < 500)
})
