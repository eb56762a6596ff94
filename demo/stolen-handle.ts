import { ownPaths } from '@sallyport/contract'
import { askAgent, openedSession, people, sessionEvents } from '../test/fixtures/people.ts'

export type Show = (what: string, isAsPromised: boolean, seen: string) => void

/** A gateway of its own and a real identity provider: a person logs in for an agent, the provider turns slow, and a handle is stolen. */
export async function showStolenHandle(show: Show): Promise<void> {
  await using all = await people()
  await all.whole.enrolAgent('thief')
  const refresh = (agent: string, handle: string): ReturnType<typeof askAgent> => askAgent(all, ownPaths.sessionRefresh, { handle }, [], agent)
  const tokenRequests = (): number => all.provider.seen.filter((path) => path === '/token').length

  const held = await openedSession(all)
  show('a person logs in at their provider; the agent gets a handle and a ticket, and no token', held.ticket !== '', `session ${held.session}`)

  all.provider.fault('/token', { delayMs: 500 })
  const before = tokenRequests()
  const owner = refresh('bot', held.handle)
  while (tokenRequests() === before) await new Promise((resolve) => setTimeout(resolve, 10))
  const thief = await refresh('thief', held.handle)
  show('the provider is slow; meanwhile another agent shows the stolen handle, and is refused', thief.said === 'session.invalid', thief.said)
  const owned = await owner
  show(
    'the owner is unharmed, and the provider was asked once',
    owned.status === 200 && tokenRequests() === before + 1,
    `refreshed, generation 2; requests to the provider: ${tokenRequests() - before}`,
  )
  const late = await refresh('thief', String(owned.body['handle']))
  show('the next handle does not help the thief either', late.said === 'session.invalid', late.said)

  const events = await sessionEvents(all)
  const refreshed = events.find(({ act }) => act === 'refreshed')
  const validated = events.find(({ index }) => index === refreshed?.validation)
  show(
    'the log: the refresh names the entry that validated it, and who failed to',
    validated?.act === 'validated' && events.some(({ act, caller }) => act === 'ownership-failed' && caller?.agent === 'thief'),
    `entry ${refreshed?.index ?? '?'} refreshed, by entry ${validated?.index ?? '?'} validated; ownership-failed: acme/thief`,
  )
}
