import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LogEvent } from '@sallyport/contract'
import { decisionOf, eventNumber, newSigner, outcomeOf, temporaryFolder } from '../../../../../test/fixtures/log-folder.ts'
import { appendEvents } from '../../../../../test/fixtures/running-export.ts'
import { updateIndex } from '../../audit/update-index.ts'
import { viewLogFolder } from '../../drivers/posix-log/log-folder.ts'
import { openLogIndex } from '../../drivers/sqlite/log-index.ts'
import { huntPairs, type PairTerms } from './pairs.ts'

const start = Date.parse(eventNumber(0).time)
const unanswered: PairTerms = {
  first: { type: 'decision', decision: 'permit' },
  without: { type: 'outcome' },
  same: ['request'],
  withinMs: 1000,
  side: 'after',
}
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** Hunts twice, with the index and without, since both must say the same. */
async function hunting(t: TestContext, events: readonly LogEvent[]) {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), events)
  const view = viewLogFolder(join(folder, 'log'))
  const index = openLogIndex(join(folder, 'log.index'))
  t.after(() => index[Symbol.dispose]())
  await updateIndex(view, index)
  return async (terms: PairTerms, span = always, now = start + 1_000_000) => {
    const whole = await huntPairs(view, undefined, terms, span, now)
    assert.deepEqual(await huntPairs(view, index, terms, span, now), whole)
    return { ...whole, found: whole.found.map(({ index: at, why }) => `${at} ${why}`) }
  }
}

test('an entry whose counterpart comes within the time is not found; one too late, of another request or of none is', async (t) => {
  const hunt = await hunting(t, [
    decisionOf('in-time', 0),
    decisionOf('late', 10),
    decisionOf('never', 20),
    outcomeOf('in-time', 0, 1000),
    outcomeOf('late', 1, 1011),
    outcomeOf('other', 2, 1012),
    decisionOf('denied', 1013, 'deny'),
  ])
  assert.deepEqual(await hunt(unanswered), { firsts: 3, open: 0, found: ['1 none', '2 none'] })
  assert.deepEqual((await hunt({ ...unanswered, withinMs: 1001 })).found, ['2 none'])
})

test('one counterpart stands for one entry', async (t) => {
  const hunt = await hunting(t, [decisionOf('twice', 0), decisionOf('twice', 1), outcomeOf('twice', 0, 5)])
  assert.deepEqual((await hunt(unanswered)).found, ['0 used'])
})

test('while the time is not over an entry is open, and not found', async (t) => {
  const hunt = await hunting(t, [decisionOf('a', 0), decisionOf('b', 10), decisionOf('c', 20), outcomeOf('c', 2, 30)])
  assert.deepEqual(await hunt(unanswered, always, start + 1005), { firsts: 3, open: 1, found: ['0 none'] })
})

test('a span is of the first entries: their counterparts may lie outside of it, on either side', async (t) => {
  const hunt = await hunting(t, [decisionOf('a', 0), decisionOf('b', 100), outcomeOf('a', 0, 200), outcomeOf('b', 1, 300), outcomeOf('none', 0, 400)])
  assert.deepEqual(await hunt(unanswered, { from: start + 100, to: start + 100 }), { firsts: 1, open: 0, found: [] })
  const before: PairTerms = { ...unanswered, first: { type: 'outcome' }, without: { type: 'decision', decision: 'permit' }, side: 'before' }
  assert.deepEqual(await hunt(before, { from: start + 300, to: start + 400 }), { firsts: 2, open: 0, found: ['4 none'] })
})

test('no entry is its own counterpart, so that a silence is found: the last sign of life before it', async (t) => {
  const signs = [0, 500, 900, 5000, 5400].map((at) => eventNumber(at))
  const hunt = await hunting(t, signs)
  const silent: PairTerms = { first: { act: 'test.event' }, without: { act: 'test.event' }, same: ['type'], withinMs: 600, side: 'after' }
  assert.deepEqual((await hunt(silent)).found, ['2 none', '4 none'])
})

test('an entry that does not name what both must have in common is found, and is nobody’s counterpart', async (t) => {
  const hunt = await hunting(t, [eventNumber(0), decisionOf('a', 1), outcomeOf('a', 1, 2)])
  assert.deepEqual(await hunt({ ...unanswered, first: {} }), { firsts: 3, open: 0, found: ['0 nameless', '2 none'] })
})
