import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../json.ts'
import { EntryCheck, readEntry } from './entry-check.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const admin = '{"act":"agent.enrolled","subject":{},"time":"2026-01-01T00:00:00.000Z","type":"admin","v":1}'
const decisionEntry = {
  v: 1,
  type: 'decision',
  time: '2026-01-01T00:00:00.000Z',
  request: 'r1',
  caller: { tenant: 'acme', agent: 'bot', certificate: 'c'.repeat(43) },
  upstream: 'crm',
  action: 'get',
  resource: '/',
  call: 'd'.repeat(43),
  revision: 'r',
  decision: 'permit',
  rules: ['one'],
}

test('an entry is canonical JSON that fits the schema of its type', () => {
  assert.equal(readEntry(bytes(admin)).kind, 'event')
  const flawed = [
    '',
    'null',
    '[]',
    '{}',
    ` ${admin}`,
    admin.replace('"act"', '"type"'), // a member twice
    admin.replace('"v":1', '"v":1.0'),
    admin.replace('"v":1', '"v":2'),
    admin.replace('"act":"agent.enrolled",', ''),
    admin.replace('.000Z', 'Z'),
    admin.replace('{"act":"agent.enrolled","subject":{}', '{"subject":{},"act":"agent.enrolled"'),
  ]
  for (const text of flawed) assert.equal(readEntry(bytes(text)).kind, 'flawed', text)
})

test('a type or member of a later version is told apart from a malformed entry', () => {
  assert.deepEqual(readEntry(bytes(admin.replace('"admin"', '"artifact"'))), { kind: 'newer', time: '2026-01-01T00:00:00.000Z', type: 'artifact' })
  assert.equal(readEntry(bytes(admin.replace('"subject"', '"extra":1,"subject"'))).kind, 'newer')
  for (const time of ['yesterday', '2026-13-01T00:00:00.000Z', '2026-02-30T00:00:00.000Z']) {
    assert.equal(readEntry(bytes(admin.replace('"admin"', '"artifact"').replace('2026-01-01T00:00:00.000Z', time))).kind, 'flawed', time)
  }
})

test('time does not run backwards', () => {
  const check = new EntryCheck()
  const at = (seconds: string): Uint8Array => bytes(admin.replace('00.000Z', `${seconds}Z`))
  assert.equal(check.take(0, at('01.000')), undefined)
  assert.equal(check.take(1, at('01.000')), undefined)
  assert.deepEqual(check.take(2, at('00.999')), {
    check: 'time-reversed',
    text: 'entry 2 is dated 2026-01-01T00:00:00.999Z, before the entry in front of it (2026-01-01T00:00:01.000Z)',
  })
})

test('an outcome of a permit that a later version wrote is no fault, and is taken once', () => {
  const permit = canonicalJson({ ...decisionEntry, extra: 1 })
  const outcome = canonicalJson({ v: 1, type: 'outcome', time: decisionEntry.time, request: 'r1', decision: 0, result: 'answered', status: 200 })
  const check = new EntryCheck()
  assert.equal(check.take(0, bytes(permit)), undefined)
  assert.deepEqual([check.newer, check.unanswered], [1, 0])
  assert.equal(check.take(1, bytes(outcome)), undefined)
  assert.equal(check.take(2, bytes(outcome))?.check, 'outcome-unpaired')
})

test('an outcome belongs to one permit of its request, and is the only one', () => {
  const outcome = (decision: number, request: string): Uint8Array =>
    bytes(canonicalJson({ v: 1, type: 'outcome', time: decisionEntry.time, request, decision, result: 'answered', status: 200 }))
  const flawOf = (...entries: readonly Uint8Array[]): string | undefined => {
    const check = new EntryCheck()
    const flaws = entries.map((entry, index) => check.take(index, entry)?.check)
    return flaws.find((flaw) => flaw !== undefined)
  }
  const permit = bytes(canonicalJson(decisionEntry))
  const denial = bytes(canonicalJson({ ...decisionEntry, decision: 'deny' }))
  assert.equal(flawOf(permit, outcome(0, 'r1')), undefined)
  assert.equal(flawOf(permit, outcome(0, 'r2')), 'outcome-unpaired')
  assert.equal(flawOf(denial, outcome(0, 'r1')), 'outcome-unpaired')
  assert.equal(flawOf(outcome(0, 'r1'), permit), 'outcome-unpaired')
  assert.equal(flawOf(permit, outcome(0, 'r1'), outcome(0, 'r1')), 'outcome-unpaired')
  assert.equal(flawOf(permit, outcome(7, 'r1')), 'outcome-unpaired')
})
