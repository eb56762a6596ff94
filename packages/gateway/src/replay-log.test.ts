import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogEvent } from '@sallyport/contract'
import { policyOf } from '../../../test/fixtures/access-request.ts'
import { decisionOf, eventNumber, newSigner, outcomeOf, temporaryFolder } from '../../../test/fixtures/log-folder.ts'
import { rootAt } from './audit/copy-log.ts'
import { RunState } from './audit/runs/run-state.ts'
import { openLog } from './audit/sequencer.ts'
import { keepPrunedLog, prunedSizeIn, readPrunedLog } from './control/pruned-log.ts'
import { openLogFolder, viewLogFolder } from './drivers/posix-log/log-folder.ts'
import { removeBundles } from './drivers/posix-log/remove-bundles.ts'
import { snapshotOf } from './policy/state-snapshot.ts'
import { replayLog } from './replay-log.ts'

const perMinute = 60
const policy = policyOf(
  [],
  [
    { id: 'calls', per: ['agent'], requests: 1000, window: '1h' },
    { id: 'spend', per: ['agent'], tokens: 1_000_000, window: '1h' },
  ],
)

/** Calls that hold tokens back, of which every third has no outcome yet, tools, and calls that wait for a person. */
function eventAt(number: number): LogEvent {
  const { time } = eventNumber(number)
  const plain = decisionOf(`r${number}`, number)
  assert.ok(plain.type === 'decision')
  const decision: LogEvent = { ...plain, quotas: ['calls', 'spend'], reserved: { tokens: 10 } }
  const run = { v: 1, time, caller: { tenant: 'acme', agent: 'bot', certificate: 'c'.repeat(43) }, run: '6c1f3f0e-8a51-4c1c-9f43-0d0f3f2d9a01' } as const
  if (number === 10) return { ...run, type: 'runtime', act: 'opened', next: 1 }
  if (number > 10 && number % 50 === 10) {
    const count = (number - 10) / 50
    return { ...run, type: 'record', request: `r${number}`, number: count, sequence: count, at: time, kind: 'tool', facts: {} }
  }
  switch (number % 5) {
    case 0:
    case 1:
      return decision
    case 2:
      return outcomeOf(`r${number - 2}`, number - 2, number)
    case 3:
      return { v: 1, type: 'tool', time, tenant: 'acme', upstream: 'payments', act: 'pinned', tool: `tool-${number % 40}`, digest: `d${number}` }
    default:
      return {
        ...plain,
        decision: 'hold',
        approval: `a${number}`,
        approvalExpires: eventNumber(number + 60).time,
        call: `c${number}`,
      }
  }
}

test('a log whose oldest entries are gone replays to the state of the whole one [T6]', async (t) => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'log')
  const signer = newSigner()
  const { log: opened } = await openLog(await openLogFolder(log), signer)
  await Promise.all(Array.from({ length: 1000 }, (_, number) => opened.append(eventAt(number))))
  await opened.close()
  const view = viewLogFolder(log)
  const wholeRuns = new RunState(perMinute)
  const whole = await replayLog(view, undefined, policy, wholeRuns)
  assert.ok(whole.open.size > 100 && whole.state.quotas.reservations > 100 && whole.state.approvals.dump().length > 10 && whole.state.tools.all().length > 5)

  const sealingKey = randomBytes(32)
  for (const size of [256, 768]) {
    const before = await readPrunedLog(folder, sealingKey)
    const runs = new RunState(perMinute)
    const { state, open } = await replayLog(view, before, policy, runs, size)
    await keepPrunedLog(folder, sealingKey, { size, root: await rootAt(view, size), state: snapshotOf(state), open, runs: await runs.dump() })
    await removeBundles(log, size)
    assert.equal(await prunedSizeIn(folder), size)
    const pruned = await readPrunedLog(folder, sealingKey)
    const restRuns = new RunState(perMinute)
    const rest = await replayLog(view, pruned, policy, restRuns)
    assert.deepEqual(await restRuns.dump(), await wholeRuns.dump())
    assert.deepEqual(snapshotOf(rest.state), snapshotOf(whole.state))
    assert.deepEqual([...rest.open], [...whole.open])
    const again = await openLog(await openLogFolder(log), signer, { pruned })
    assert.equal(again.recovered.size, 1000)
    await again.log.close()
  }
})
