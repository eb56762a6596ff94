import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { alertReceiver, alertSecret, alertsTo } from '../fixtures/alert-receiver.ts'
import { askAgent, openedSession, people } from '../fixtures/people.ts'

test('[S8] an agent that floods refreshes, with handles of nobody and of others, buys no entries beside those of its calls and no flood of alerts, and hides no theft from the log', async () => {
  await using receiver = await alertReceiver()
  await using all = await people({ more: alertsTo(receiver, { refreshesPerAgent: 10, refreshesPerTenant: 10 }, { perMinute: 1 }) })
  await all.whole.admin('secret.set', { name: 'alert-receiver', value: alertSecret, person: 'oscar' })
  const { handle } = await openedSession(all)
  await all.whole.enrolAgent('mallory')
  const before = (await all.whole.events()).length
  for (let round = 0; round < 5; round += 1) {
    const handles = Array.from({ length: 40 }, (_, each) => (each % 2 === 0 ? handle : Buffer.alloc(32, each).toString('base64url')))
    await Promise.all(handles.map((shown) => askAgent(all, ownPaths.sessionRefresh, { handle: shown }, [], 'mallory')))
  }
  const [{ data: first } = assert.fail('no alert')] = receiver.alerts
  assert.equal(receiver.alerts.length, 1)
  const events = (await all.whole.events()).slice(before)
  const signals = events.flatMap((event) => (event.type === 'signal' ? [event.kind] : []))
  assert.deepEqual(
    signals.toSorted(),
    ['no-session', 'ownership-failed', 'refresh-burst', 'refresh-burst'],
    '200 refreshes, one signal for each thing that is odd',
  )
  const more = events.filter(({ type }) => type !== 'decision' && type !== 'outcome')
  assert.ok(more.length < 25, `${more.length} entries`)
  assert.ok(first.kind === 'ownership-failed' || first.kind === 'no-session')
  const owner = await askAgent(all, ownPaths.sessionRefresh, { handle })
  assert.equal(owner.said, 'answered', 'its owner is unharmed')
})
