import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { printable } from '../printable.ts'
import { shownCharactersMax, shownJson, shownMembersMax } from './show.ts'

const hostile = ['\u009b31m', '\u001b]0;x\u0007', '\u202eevil', '\u2066', '\u200b', '\u00ad', '\ufeff', '\u{e0041}', '\u2028', '\r', '\u0085', '\u007f']

test('no character that a terminal obeys leaves as it is, and the JSON still says the same', () => {
  for (const text of hostile) {
    const shown = shownJson({ [text]: [text] }, { isFull: true })
    assert.doesNotMatch(shown, /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u)
    assert.deepEqual(JSON.parse(shown), { [text]: [text] })
  }
  assert.equal(printable('fine\nä 日本 😀'), 'fine\nä 日本 😀')
  assert.equal(printable('\u009b2J\u{e0041}'), '\\u009b2J\\udb40\\udc41')
})

test('any value in full is the same value after a round trip', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(shownJson(value, { isFull: true, isLine: true })), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 200 },
  )
})

test('a long text and a long list are cut with their length and digest; neighbours of the bound are not', () => {
  const show = (value: unknown): unknown => JSON.parse(shownJson(value, { isFull: false }))
  const fits = 'x'.repeat(shownCharactersMax)
  assert.equal(show(fits), fits)
  assert.match(String(show(`${fits}y`)), new RegExp(`^x{${shownCharactersMax}}… \\(${shownCharactersMax + 1} characters in all, SHA-256 [0-9a-f]{64}; --full`))
  const list = Array.from({ length: shownMembersMax }, (_, index) => index)
  assert.deepEqual(show(list), list)
  const cut = show([...list, 'hidden'])
  assert.ok(Array.isArray(cut) && cut.length === shownMembersMax + 1)
  assert.match(String(cut.at(-1)), /^… 1 more \(.* characters in all, SHA-256/)
  const group = Object.fromEntries([...list, 'last'].map((name) => [`n${name}`, name]))
  assert.match(JSON.stringify(show(group)), /"…":"1 more \(.*SHA-256/)
  assert.match(JSON.stringify(show({ [`${fits}y`]: 1 })), /characters in all/)
})
