import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moment } from './moment.ts'

const begins = moment('begins', () => Date.UTC(2026, 10, 25, 12))

test('a moment is a day of UTC, a time with its offset, or how long ago it was', () => {
  for (const [text, expected] of [
    ['2026-11-25', '2026-11-25T00:00:00.000Z'],
    ['2026-11-25T14:00:59.5Z', '2026-11-25T14:00:59.500Z'],
    ['2026-11-25T14:00+02:00', '2026-11-25T12:00:00.000Z'],
    ['30m', '2026-11-25T11:30:00.000Z'],
    ['7d', '2026-11-18T12:00:00.000Z'],
  ] as const)
    assert.equal(new Date(begins(text)).toISOString(), expected, text)
})

test('a day that is an end counts to its last millisecond, and a moment is the same at both ends', () => {
  const ends = moment('ends')
  assert.equal(new Date(ends('2026-11-25')).toISOString(), '2026-11-25T23:59:59.999Z')
  assert.equal(ends('2026-11-25T14:00Z'), begins('2026-11-25T14:00Z'))
})

test('what only looks like a moment is refused', () => {
  const wrong = [
    '',
    'now',
    '2026-13-01',
    '2026-11-25 14:00',
    '2026-11-25T14:00',
    '2026-11-25T25:00Z',
    '26-11-25',
    '2026',
    '+012026-01-01',
    '1.5h',
    '-1h',
    '2026-11-25T14:00Z;',
    '999999999d',
    '9999-12-31T23:00-14:00',
  ]
  for (const text of wrong) assert.throws(() => begins(text), /Write a day/, text)
})
