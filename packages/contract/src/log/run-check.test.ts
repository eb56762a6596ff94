import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../json.ts'
import { EntryCheck } from './entry-check.ts'

const runs = ['3f0c9a52-6a0e-4b1e-9c39-1f6b6d1f2a11', '3f0c9a52-6a0e-4b1e-9c39-1f6b6d1f2a12'] as const
const time = '2026-01-01T00:00:00.000Z'
const common = { v: 1, time, caller: { tenant: 'acme', agent: 'bot' }, run: runs[0] }
const act = (name: string, next: number, more: object = {}): object => ({ ...common, type: 'runtime', act: name, next, ...more })
const record = (number: number, sequence: number, more: object = {}): object => ({
  ...common,
  type: 'record',
  request: 'r',
  number,
  sequence,
  at: time,
  kind: 'tool.ran',
  facts: {},
  ...more,
})
const other = { run: runs[1] }
const opened = act('opened', 1)

function firstFlaw(entries: readonly object[]): readonly [number, string] | undefined {
  const check = new EntryCheck()
  for (const [index, entry] of entries.entries()) {
    const flaw = check.take(index, new TextEncoder().encode(canonicalJson(JSON.parse(JSON.stringify(entry)))))
    if (flaw) return [index, flaw.check]
  }
  return undefined
}

test('records that follow by their numbers, in runs beside and after each other, are as they should be', () => {
  const sound = [
    [opened, record(1, 1), record(2, 2), act('closed', 3)],
    [opened, act('opened', 1, other), record(1, 1), record(1, 2, other), record(2, 3), act('closed', 2, other)],
    [opened, record(1, 1), act('closed', 2), opened, record(1, 2)],
    [opened, record(1, 1), act('gap', 5, { missing: 3 }), record(5, 2), act('silent', 6), act('returned', 6), record(6, 3)],
    [opened, act('silent', 1), act('dropped', 1), act('opened', 1, other), record(1, 1, other)],
    [opened, record(1, 1), { ...opened, caller: { tenant: 'acme', agent: 'two' } }, { ...record(1, 1), caller: { tenant: 'acme', agent: 'two' } }],
  ]
  for (const entries of sound) assert.equal(firstFlaw(entries), undefined, JSON.stringify(entries))
})

test('numbers that do not follow are a fault at the first entry that shows it', () => {
  const unsound: readonly (readonly [string, number, readonly object[]])[] = [
    ['a record left out', 2, [opened, record(1, 1), record(3, 3)]],
    ['a record left out, and those behind it counted anew', 2, [opened, record(1, 1), record(3, 2)]],
    ['a record twice', 2, [opened, record(1, 1), record(1, 2)]],
    ['a record of another run left out', 3, [opened, act('opened', 1, other), record(1, 1), record(1, 3, other)]],
    ['the opening left out', 0, [record(1, 1)]],
    ['a record behind the end', 3, [opened, record(1, 1), act('closed', 2), record(2, 2)]],
    ['an end at another number', 2, [opened, record(1, 1), act('closed', 4)]],
    ['a gap of another size', 2, [opened, record(1, 1), act('gap', 5, { missing: 2 })]],
    ['a gap without a size', 1, [opened, act('gap', 1)]],
    ['a size without a gap', 1, [opened, act('silent', 3, { missing: 2 })]],
    ['an opening of an open run', 1, [opened, opened]],
    ['an opening in the middle', 0, [act('opened', 7)]],
    ['the end of a run that never was', 1, [opened, act('closed', 1, other)]],
  ]
  for (const [name, index, entries] of unsound) assert.deepEqual(firstFlaw(entries), [index, 'records-unordered'], name)
})

test('after entries about runs that a later version wrote, what follows is judged as far as it can be', () => {
  const later = { ...record(2, 2), more: 1 }
  assert.equal(firstFlaw([opened, record(1, 1), later, record(3, 3), record(4, 4), act('closed', 5)]), undefined)
  assert.deepEqual(firstFlaw([opened, record(1, 1), later, record(3, 3), record(5, 4)]), [4, 'records-unordered'])
  assert.deepEqual(firstFlaw([opened, record(1, 1), later, record(3, 3), record(4, 5)]), [4, 'records-unordered'])
})
