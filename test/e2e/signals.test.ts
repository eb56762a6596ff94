import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { alertReceiver, alertSecret, alertsTo, type AlertReceiver } from '../fixtures/alert-receiver.ts'
import { askAgent, openedSession, people, type People, type PeopleTerms } from '../fixtures/people.ts'

async function watchedPeople(receiver: AlertReceiver, more: object = {}, terms: PeopleTerms = {}): Promise<People> {
  const all = await people({ ...terms, more: { operations: '127.0.0.1:0', ...alertsTo(receiver, more) } })
  await all.whole.admin('secret.set', { name: 'alert-receiver', value: alertSecret, person: 'oscar' })
  return all
}

async function refresh(all: People, handle: string, agent = 'bot') {
  return askAgent(all, ownPaths.sessionRefresh, { handle }, [], agent)
}

async function metricsOf({ whole }: People): Promise<string> {
  return (await fetch(`http://${whole.running.addresses.operations}/metrics`)).text()
}

test('[S8] a thief who shows a leaked handle is written down and alerted on, and the alert is no help to anyone else', async () => {
  await using receiver = await alertReceiver()
  await using all = await watchedPeople(receiver)
  const held = await openedSession(all)
  await all.whole.enrolAgent('mallory')
  for (let times = 0; times < 20; times += 1) assert.equal((await refresh(all, held.handle, 'mallory')).said, 'session.invalid')

  const { index = -1, kind, tenant, agent, session, count, log } = await receiver.alertOf('ownership-failed')
  assert.deepEqual([kind, tenant, agent, session, count, log], ['ownership-failed', 'acme', 'mallory', held.session, 1, 'agents.example/sallyport'])
  const events = await all.whole.events()
  const entry = events[index]
  assert.ok(entry?.type === 'signal' && entry.kind === 'ownership-failed' && entry.session === held.session && entry.agent === 'mallory')
  assert.equal(events.filter(({ type }) => type === 'signal').length, 1, 'twenty times are one signal')
  assert.equal(receiver.alerts.length, 1)

  const owner = await refresh(all, held.handle)
  assert.equal(owner.said, 'answered', 'its owner is unharmed')
  const metrics = await metricsOf(all)
  assert.match(metrics, /sallyport_signals_total\{kind="ownership-failed",result="raised"\} 1\n/)
  assert.match(metrics, /sallyport_alerts_total\{result="sent"\} 1\n/)
  assert.match(metrics, /sallyport_refreshes_total\{result="session.invalid"\} 20\n/)
  assert.match(metrics, /sallyport_refreshes_total\{result="answered"\} 1\n/)
  assert.match(metrics, /sallyport_provider_refresh_duration_seconds_count\{provider="people",result="refreshed"\} 1\n/)
  const secrets = [held.handle, held.ticket, String(owner.body['handle']), String(owner.body['ticket']), ...all.provider.refreshTokens]
  for (const body of receiver.bodies) for (const secret of secrets) assert.ok(!body.includes(secret))
})

test('[S8] a burst of refreshes is seen for its agent, and for its tenant', async () => {
  await using receiver = await alertReceiver()
  await using all = await watchedPeople(receiver, { refreshesPerAgent: 4, refreshesPerTenant: 6 })
  const held = await openedSession(all)
  let { handle } = held
  for (let times = 0; times < 6; times += 1) handle = String((await refresh(all, handle)).body['handle'])
  const ofAgent = await receiver.alertOf('refresh-burst')
  assert.deepEqual([ofAgent.tenant, ofAgent.agent, ofAgent.count], ['acme', 'bot', 4])
  while (receiver.alerts.length < 2) await new Promise(setImmediate)
  const ofTenant = receiver.alerts[1]?.data
  assert.deepEqual([ofTenant?.kind, ofTenant?.tenant, ofTenant?.agent, ofTenant?.count], ['refresh-burst', 'acme', undefined, 6])
})

test('[S8] a refresh without a session is seen, and so is a handle that had been replaced', async () => {
  await using receiver = await alertReceiver()
  await using all = await watchedPeople(receiver)
  const held = await openedSession(all)
  const second = await refresh(all, held.handle)
  const third = await refresh(all, String(second.body['handle']))
  assert.equal(third.said, 'answered')
  assert.equal((await refresh(all, held.handle)).said, 'session.invalid', 'it was replaced twice')
  assert.equal((await receiver.alertOf('handle-reused')).session, held.session)
  for (let times = 0; times < 3; times += 1) assert.equal((await refresh(all, String(third.body['handle']))).said, 'session.invalid')
  const { agent, session, count } = await receiver.alertOf('no-session')
  assert.deepEqual([agent, session, count], ['bot', held.session, 3])
})

test('[S8] a provider that is slow, fails and is asked again is seen, with how it ended', async () => {
  await using receiver = await alertReceiver()
  await using all = await watchedPeople(receiver, { providerSlow: '20ms' }, { sessions: { quarantine: '1s' } })
  const held = await openedSession(all)
  all.provider.fault('POST /token', { delayMs: 40 })
  let { handle } = held
  for (let times = 0; times < 3; times += 1) handle = String((await refresh(all, handle)).body['handle'])
  const slow = await receiver.alertOf('provider-slow')
  assert.deepEqual([slow.provider, slow.count], ['people', 3])

  all.provider.fault('POST /token', 'html-error')
  assert.equal((await refresh(all, handle)).said, 'session.login-required', 'in doubt, asked once more, in doubt again')
  const { session, count } = await receiver.alertOf('slow-path')
  assert.deepEqual([session, count], [held.session, 3])
  assert.match(await metricsOf(all), /sallyport_provider_refresh_duration_seconds_count\{provider="people",result="odd-answer"\} 2\n/)
})
