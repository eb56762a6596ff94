/** Whoever can write the index can make it leave entries out: that must hide nothing from a hunt, nor show what the log does not hold. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { searchLog } from '../../packages/gateway/src/audit/search-log.ts'
import { updateIndex } from '../../packages/gateway/src/audit/update-index.ts'
import { huntPairs, type PairTerms } from '../../packages/gateway/src/cli/hunt/pairs.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { openLogIndex } from '../../packages/gateway/src/drivers/sqlite/log-index.ts'
import { decisionOf, newSigner, outcomeOf, temporaryFolder } from '../fixtures/log-folder.ts'
import { appendEvents } from '../fixtures/running-export.ts'

const unanswered: PairTerms = { first: { decision: 'permit' }, without: { type: 'outcome' }, same: ['request'], withinMs: 1000, side: 'after' }

test('an index that was emptied by hand hides entries from those who look where it says, and from no hunt; a search without it finds them', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), [decisionOf('seen', 0), outcomeOf('seen', 0, 1), decisionOf('hidden', 2)])
  const view = viewLogFolder(join(folder, 'log'))
  using index = openLogIndex(join(folder, 'log.index'))
  await updateIndex(view, index)
  const attacker = new DatabaseSync(join(folder, 'log.index'))
  attacker.exec('DELETE FROM cells')
  attacker.close()

  const span = { from: 0, to: Date.now() }
  assert.deepEqual((await searchLog(view, index, { request: 'hidden' }, { limit: 9 })).found, [])
  const { found } = await huntPairs(view, undefined, unanswered, span, span.to)
  assert.deepEqual(
    found.map((one) => [one.index, one.same]),
    [[2, ['hidden']]],
  )
  assert.equal((await searchLog(view, undefined, { request: 'hidden' }, { limit: 9 })).found.length, 1)
})

test('an index that says an entry is another one’s does not make it so', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), [decisionOf('one', 0), decisionOf('two', 1)])
  const view = viewLogFolder(join(folder, 'log'))
  using index = openLogIndex(join(folder, 'log.index'))
  await updateIndex(view, index)
  const attacker = new DatabaseSync(join(folder, 'log.index'))
  attacker.exec("UPDATE name SET text = 'scapegoat' WHERE text = 'invoice-bot'")
  attacker.close()
  assert.deepEqual((await searchLog(view, index, { agent: 'scapegoat' }, { limit: 9 })).found, [])
})
