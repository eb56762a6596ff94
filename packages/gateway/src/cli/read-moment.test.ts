import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMoment } from './read-moment.ts'

const now = Date.UTC(2026, 10, 25, 12)

test('a moment is a day, a time in UTC or with its offset, or how long ago', () => {
  for (const [text, moment] of [
    ['2026-11-25', '2026-11-25T00:00:00.000Z'],
    ['2026-11-25T14:00', '2026-11-25T14:00:00.000Z'],
    ['2026-11-25T14:00:59.5Z', '2026-11-25T14:00:59.500Z'],
    ['2026-11-25T14:00+02:00', '2026-11-25T12:00:00.000Z'],
    ['30m', '2026-11-25T11:30:00.000Z'],
    ['7d', '2026-11-18T12:00:00.000Z'],
  ] as const)
    assert.equal(readMoment(text, now), moment, text)
})

test('what only looks like a moment is refused', () => {
  for (const text of [
    '',
    'now',
    '2026-13-01',
    '2026-11-25 14:00',
    '2026-11-25T25:00Z',
    '26-11-25',
    '2026',
    '+012026-01-01',
    '1.5h',
    '-1h',
    '2026-11-25T14:00Z;',
  ])
    assert.throws(() => readMoment(text, now), /Write a day or a time/, text)
})
