import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conflictNotedEveryMs, tellOfWitnesses } from './tell-of-witnesses.ts'

test('a witness that changes its mind again and again is reported each time, and fills neither the log nor the memory', () => {
  const noted: unknown[] = []
  const reported: string[] = []
  let nowMs = 0
  const tellOf = tellOfWitnesses({
    note: ({ subject }) => Promise.resolve(noted.push(subject['witness'])),
    report: (event) => reported.push(event),
    tell: undefined,
    now: () => nowMs,
  })
  const standing = { name: 'w1', url: 'http://w1.example', size: 7, problem: 'it has another log' }
  for (let times = 0; times < 50; times += 1) {
    tellOf({ ...standing, state: 'conflict' })
    tellOf({ ...standing, state: 'cosigns' })
  }
  assert.deepEqual([noted, reported.length], [['w1'], 50])
  tellOf({ ...standing, name: 'w2', state: 'conflict' })
  assert.deepEqual(noted, ['w1', 'w2'])
  nowMs += conflictNotedEveryMs - 1
  tellOf({ ...standing, state: 'conflict' })
  assert.equal(noted.length, 2)
  nowMs += 1
  tellOf({ ...standing, state: 'conflict' })
  assert.deepEqual(noted, ['w1', 'w2', 'w1'])
})
