// What keeps sessions is slow, breaks off or is locked: an answer is late or a clear refusal, and nothing is asked of the provider twice.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ownPaths } from '@sallyport/contract'
import { loadIdentity } from '@sallyport/runtime'
import { askAs, type Asked } from '../fixtures/ask-as.ts'
import { askAt, startCluster, type Cluster } from '../fixtures/cluster.ts'
import { askAgent, openedSession, people, type People } from '../fixtures/people.ts'
import { startPostgres, type RunningPostgres } from '../fixtures/postgres.ts'

let postgres: RunningPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

const tokenRequests = ({ provider }: People): number => provider.seen.filter((path) => path === '/token').length

async function asThief({ people: { whole }, other }: Cluster, handle: string): Promise<Asked> {
  return askAs(other.running.addresses.agents, await loadIdentity(join(whole.folder, 'thief')), ownPaths.sessionRefresh, [], { handle }, undefined)
}

/** Until the gateway no longer says that it cannot tell yet. */
async function refreshedInTheEnd(ask: () => Promise<Asked>): Promise<Asked> {
  for (let times = 0; ; times += 1) {
    const asked = await ask()
    if (asked.status !== 503 || times === 100) return asked
    await pause(100)
  }
}

test('[S5] [S9] over a database that is slow a refresh is late and single, and a thief gets nothing and causes nothing', async () => {
  await using cluster = await startCluster(postgres)
  const { people: all, other, line } = cluster
  await all.whole.enrolAgent('thief')
  const { handle } = await openedSession(all)
  const asked = tokenRequests(all)
  line.delayMs = 40
  assert.equal((await asThief(cluster, handle)).said, 'session.invalid')
  assert.equal(tokenRequests(all), asked)
  const answers = await Promise.all(Array.from({ length: 4 }, () => askAt(cluster, other, ownPaths.sessionRefresh, { handle })))
  assert.deepEqual(new Set(answers.map(({ said }) => said)), new Set(['answered']))
  assert.equal(new Set(answers.map(({ body }) => body['handle'])).size, 1)
  assert.equal(tokenRequests(all), asked + 1)
})

test('[S5] [S9] a database that breaks off in the middle of a refresh costs the owner a moment, and the provider no second request', async () => {
  await using cluster = await startCluster(postgres)
  const { people: all, other, line } = cluster
  await all.whole.enrolAgent('thief')
  let { handle } = await openedSession(all)
  for (const when of ['while the provider thinks', 'when it has answered']) {
    const asked = tokenRequests(all)
    const released = Promise.withResolvers<void>()
    all.provider.faultOnce('/token', { until: released.promise })
    const first = askAt(cluster, other, ownPaths.sessionRefresh, { handle })
    while (tokenRequests(all) === asked) await pause(5)
    if (when === 'while the provider thinks') line.release()
    else line.hold()
    released.resolve()
    await pause(200)
    line.release()
    const { said } = await first
    assert.ok(['answered', 'session.unavailable'].includes(said), `${when}: ${said}`)
    assert.equal((await asThief(cluster, handle)).said, 'session.invalid')
    const refreshed = await refreshedInTheEnd(() => askAt(cluster, other, ownPaths.sessionRefresh, { handle }))
    assert.equal(refreshed.said, 'answered', when)
    assert.equal(tokenRequests(all), asked + 1, when)
    handle = String(refreshed.body['handle'])
  }
})

test('[S5] [S9] a locked database refuses a refresh before the provider hears of it, and loses none that it has answered', async () => {
  await using all = await people()
  const { handle } = await openedSession(all)
  const ask = (): Promise<Asked> => askAgent(all, ownPaths.sessionRefresh, { handle })
  const lock = new DatabaseSync(join(all.whole.data, 'state.db'))
  const asked = tokenRequests(all)
  lock.exec('BEGIN IMMEDIATE')
  assert.equal((await ask()).status, 503)
  assert.equal(tokenRequests(all), asked)
  lock.exec('ROLLBACK')

  const released = Promise.withResolvers<void>()
  all.provider.faultOnce('/token', { until: released.promise })
  const first = ask()
  while (tokenRequests(all) === asked) await pause(5)
  lock.exec('BEGIN IMMEDIATE')
  released.resolve()
  await pause(300)
  lock.exec('ROLLBACK')
  lock.close()
  await first
  const refreshed = await refreshedInTheEnd(ask)
  assert.equal(refreshed.said, 'answered')
  assert.equal(tokenRequests(all), asked + 1)
})
