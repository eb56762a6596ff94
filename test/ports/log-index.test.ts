import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import type { LogEvent } from '@sallyport/contract'
import type { EventFilter } from '../../packages/gateway/src/audit/entry-facts.ts'
import { searchLog, type Page } from '../../packages/gateway/src/audit/search-log.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { belongsTo, updateIndex } from '../../packages/gateway/src/audit/update-index.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { chunkEntries, openLogIndex, openLogIndexToRead } from '../../packages/gateway/src/drivers/sqlite/log-index.ts'
import { decisionOf, eventNumber, newSigner, outcomeOf, replaceEntry, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'

async function writeEvents(folder: string, events: readonly LogEvent[]): Promise<void> {
  const { log } = await openLog(await openLogFolder(folder), newSigner())
  await Promise.all(events.map((event) => log.append(event)))
  await log.close()
}

async function indexed(t: TestContext, events: readonly LogEvent[]) {
  const folder = temporaryFolder(t)
  await writeEvents(join(folder, 'log'), events)
  const view = viewLogFolder(join(folder, 'log'))
  const index = openLogIndex(join(folder, 'log.index'))
  t.after(() => index[Symbol.dispose]())
  await updateIndex(view, index)
  const search = async (filter: EventFilter, page: Page = { limit: 1000 }) => {
    const { found, index: used } = await searchLog(view, index, filter, page)
    return { found: found.map((record) => record.index), used }
  }
  return { folder, view, index, search }
}

/** A log of few words, so that every filter finds some and misses others. */
function mixedEvents(count: number): LogEvent[] {
  return Array.from({ length: count }, (_, number): LogEvent => {
    if (number % 5 === 4) return outcomeOf(`request-${number - 1}`, number - 1, number)
    if (number % 7 === 6) return eventNumber(number)
    const decision = decisionOf(`request-${number}`, number, number % 3 === 0 ? 'deny' : 'permit')
    if (decision.type !== 'decision') throw new TypeError('it is a decision')
    return {
      ...decision,
      caller: { tenant: `tenant-${number % 2}`, agent: `agent-${number % 4}`, certificate: 'c' },
      upstream: `upstream-${number % 3}`,
      action: `action-${number % 5}`,
      call: `call-${number % 11}`,
      rules: number % 6 === 0 ? [] : [`rule-${number % 3}`, `rule-${number % 4}`],
      ...(number % 9 === 0 && { approval: `approval-${number % 27}` }),
      ...(number % 3 === 0 && { code: 'policy.denied' }),
    }
  })
}

test('a search by the index finds what a search of the log itself finds, whatever is asked and however it is paged', async (t) => {
  const { view, index } = await indexed(t, mixedEvents(600))
  const word = (name: string, many: number) =>
    fc.option(
      fc.integer({ min: 0, max: many }).map((number) => `${name}-${number}`),
      { nil: undefined, freq: 2 },
    )
  const moment = fc.option(
    fc.integer({ min: 0, max: 640 }).map((number) => eventNumber(number).time),
    { nil: undefined, freq: 2 },
  )
  const filter = fc.record({
    type: fc.constantFrom(undefined, undefined, 'decision', 'outcome', 'admin'),
    tenant: word('tenant', 2),
    agent: word('agent', 4),
    upstream: word('upstream', 3),
    action: word('action', 5),
    decision: fc.constantFrom(undefined, undefined, 'permit', 'deny'),
    code: fc.constantFrom(undefined, undefined, undefined, 'policy.denied', 'policy.no-rule'),
    rule: word('rule', 4),
    act: fc.constantFrom(undefined, undefined, undefined, 'test.event', 'test.other'),
    result: fc.constantFrom(undefined, undefined, undefined, 'answered', 'failed'),
    request: fc.option(
      fc.integer({ min: 0, max: 600 }).map((number) => `request-${number}`),
      { nil: undefined, freq: 1 },
    ),
    call: word('call', 11),
    approval: word('approval', 27),
    since: moment,
    until: moment,
  })
  await fc.assert(
    fc.asyncProperty(filter, fc.integer({ min: 1, max: 40 }), fc.option(fc.integer({ min: 0, max: 620 }), { nil: undefined }), async (asked, limit, below) => {
      const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
      const page = { limit, ...(below !== undefined && { below }) }
      const [byIndex, byLog] = await Promise.all([searchLog(view, index, given, page), searchLog(view, undefined, given, page)])
      assert.equal(byIndex.index, 'used')
      assert.equal(byLog.index, 'none')
      assert.deepEqual(byIndex.found, byLog.found)
    }),
    { numRuns: 120 },
  )
})

test('entries that came after the index was brought up to date are found too, and are in it after the next time', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  const view = viewLogFolder(join(folder, 'log'))
  const index = openLogIndex(join(folder, 'log.index'))
  t.after(() => index[Symbol.dispose]())
  assert.equal(await updateIndex(view, index), 300)
  await writeLog(join(folder, 'log'), signer, 300, 310)
  const { found, index: used } = await searchLog(view, index, { type: 'admin' }, { limit: 12 })
  assert.equal(used, 'used')
  assert.deepEqual(
    found.map((record) => record.index),
    [309, 308, 307, 306, 305, 304, 303, 302, 301, 300, 299, 298],
  )
  assert.equal(await updateIndex(view, index), 310)
})

test('an index spans the borders of its chunks', async (t) => {
  const { search, index } = await indexed(
    t,
    Array.from({ length: chunkEntries + 2 }, (_, number) => decisionOf(`request-${number}`, number)),
  )
  assert.equal((await index.state()).size, chunkEntries + 2)
  for (const number of [0, chunkEntries - 1, chunkEntries, chunkEntries + 1])
    assert.deepEqual(await search({ request: `request-${number}` }), { found: [number], used: 'used' })
  assert.deepEqual((await search({ tenant: 'acme' }, { limit: 3, below: chunkEntries + 1 })).found, [chunkEntries, chunkEntries - 1, chunkEntries - 2])
})

test('an index of another log is not used, and is made anew', async (t) => {
  const { folder, index } = await indexed(t, mixedEvents(20))
  await writeEvents(join(folder, 'other'), mixedEvents(30).slice(1))
  const other = viewLogFolder(join(folder, 'other'))
  assert.equal(await belongsTo(other, index), false)
  assert.equal((await searchLog(other, index, { tenant: 'tenant-1' }, { limit: 5 })).index, 'none')
  assert.equal(await updateIndex(other, index), 29)
  assert.equal(await belongsTo(other, index), true)
})

test('an index that reaches past the end of the log, as after a roll-back, is not used', async (t) => {
  const { folder, index } = await indexed(t, mixedEvents(20))
  await writeEvents(join(folder, 'shorter'), mixedEvents(10))
  assert.equal(await belongsTo(viewLogFolder(join(folder, 'shorter')), index), false)
})

test('a file that is no index, or one of another version, is made anew, and until then none is there', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'log.index')
  assert.equal(openLogIndexToRead(path), undefined)
  writeFileSync(path, 'x'.repeat(40_000))
  assert.equal(openLogIndexToRead(path), undefined)
  const index = openLogIndex(path)
  t.after(() => index[Symbol.dispose]())
  assert.deepEqual(await index.state(), { size: 0, ends: undefined })
  assert.equal(statSync(path).mode & 0o077, 0)
})

test('what the index says is only where to look: an entry is shown as the log has it', async (t) => {
  const { folder, search } = await indexed(t, mixedEvents(20))
  assert.deepEqual((await search({ agent: 'agent-2', type: 'decision' })).found, [18, 10, 2])
  replaceEntry(join(folder, 'log'), 10, 20, (entry) => Buffer.from(Buffer.from(entry).toString().replace('agent-2', 'agent-3')))
  assert.deepEqual((await search({ agent: 'agent-2', type: 'decision' })).found, [18, 2])
})

test('of two that add the same entries, one does', async (t) => {
  const { folder, view, index } = await indexed(t, mixedEvents(20))
  const other = openLogIndex(join(folder, 'log.index'))
  t.after(() => other[Symbol.dispose]())
  const { ends } = await index.state()
  assert.ok(ends)
  await index.clear()
  assert.equal(await other.add(5, { facts: [], ends }), false)
  await Promise.all([updateIndex(view, index), updateIndex(view, other)])
  assert.equal((await other.state()).size, 20)
  assert.deepEqual(
    (await searchLog(view, other, { agent: 'agent-2', type: 'decision' }, { limit: 9 })).found.map((record) => record.index),
    [18, 10, 2],
  )
})
