import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ownPaths, ticketHeader } from '@sallyport/contract'
import { Browser, no, yes } from '../fixtures/browser.ts'
import { askAgent, logIn, openedSession, people, sessionEvents, startLogin, type Held, type People } from '../fixtures/people.ts'

const refresh = (all: People, handle: string, agent = 'bot'): ReturnType<typeof askAgent> => askAgent(all, ownPaths.sessionRefresh, { handle }, [], agent)

/** Requests for tokens that reached the provider itself. */
const tokenRequests = ({ provider }: People): number => provider.seen.filter((path) => path === '/token').length

test('[S2] [S3] [S4] a person logs in, the agent claims, works, refreshes: every success names its validation, and no token of the provider is ever on the agent’s side', async () => {
  await using all = await people()
  const browser = new Browser()
  const { id, link } = await startLogin(all)
  const first = await browser.open(link)
  for (const shown of ['acme/bot', 'oscar', 'spiffe://agents.example/tenant/acme/agent/bot', all.provider.issuer]) assert.ok(first.text.includes(shown), shown)
  assert.deepEqual(await all.whole.admin('session.outcome', { id }), { kind: 'waiting' })
  const finish = await browser.submit(first)
  assert.match(finish.text, /logged in as .*ann/)
  assert.equal((await browser.submit(finish, yes)).status, 200)

  const claimed = await askAgent(all, ownPaths.sessionClaim, {})
  assert.equal(claimed.status, 200)
  const refreshed = await refresh(all, String(claimed.body['handle']))
  assert.equal(refreshed.status, 200)
  assert.notEqual(refreshed.body['handle'], claimed.body['handle'])
  const whoami = await askAgent(all, ownPaths.whoami, undefined, [[ticketHeader, String(refreshed.body['ticket'])]])
  assert.deepEqual(whoami.body['session'], {
    id: claimed.body['session'],
    person: 'ann',
    issuer: all.provider.issuer,
    scopes: ['openid', 'offline_access', 'read'],
  })

  const events = await sessionEvents(all)
  const done = events.find(({ act }) => act === 'refreshed')
  const validated = events.find(({ index }) => index === done?.validation)
  assert.equal(validated?.act, 'validated')
  assert.equal(validated?.session, done?.session)
  assert.ok(events.every(({ act, subject }) => act !== 'opened' || subject === 'ann'))

  // Whatever the agent got or holds, and whatever the log says, holds none of the provider's tokens: the provider made them all, and the store has them sealed.
  const kept = globSync('**/*', { cwd: all.whole.folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  assert.ok(all.provider.refreshTokens.length >= 2)
  for (const token of all.provider.refreshTokens) assert.ok(!kept.some((bytes) => bytes.includes(token)), 'a token of the provider stands somewhere in clear')
  assert.deepEqual(all.whole.faults, [])
})

test('[S5] [S7] the provider is slow, a handle is stolen: the thief is refused without a request to the provider, and the owner gets what is theirs', async () => {
  await using all = await people()
  await all.whole.enrolAgent('thief')
  const held = await openedSession(all)
  all.provider.fault('/token', { delayMs: 400 })
  const before = tokenRequests(all)
  const owner = refresh(all, held.handle)
  while (tokenRequests(all) === before) await new Promise((resolve) => setTimeout(resolve, 5))
  const thieves = await Promise.all(Array.from({ length: 5 }, () => refresh(all, held.handle, 'thief')))
  assert.deepEqual(
    thieves.map(({ said }) => said),
    Array.from({ length: 5 }, () => 'session.invalid'),
  )
  const owned = await owner
  assert.equal(owned.status, 200)
  assert.equal(tokenRequests(all), before + 1)
  assert.equal((await refresh(all, String(owned.body['handle']), 'thief')).said, 'session.invalid')
  assert.equal((await refresh(all, String(owned.body['handle']))).status, 200)
  const failed = (await sessionEvents(all)).filter(({ act }) => act === 'ownership-failed')
  assert.ok(failed.length > 0 && failed.every(({ caller }) => caller?.agent === 'thief'))
})

test('ten refreshes at once are one request to the provider, and one successor', async () => {
  await using all = await people()
  const { handle } = await openedSession(all)
  const before = tokenRequests(all)
  const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(all, handle)))
  assert.equal(tokenRequests(all), before + 1)
  assert.equal(new Set(answers.map(({ body }) => body['handle'])).size, 1)
})

for (const { name, fault, said, requests } of [
  { name: 'an empty 400', fault: 'empty-400', said: 'session.login-required', requests: 0 },
  { name: 'a redirect', fault: 'redirect', said: 'answered', requests: 1 },
  { name: 'an error page in HTML', fault: 'html-error', said: 'answered', requests: 1 },
  { name: 'an empty 200', fault: 'empty-200', said: 'answered', requests: 1 },
  { name: 'a connection that breaks before it is heard', fault: 'reset-before', said: 'answered', requests: 1 },
  { name: 'an answer that is lost after it has rotated the token', fault: 'reset-after', said: 'session.login-required', requests: 2 },
] as const) {
  test(`[S7] [S9] the provider answers once with ${name}: after at most one probe ${said}`, async () => {
    await using all = await people({ sessions: { quarantine: '1s' } })
    const { handle } = await openedSession(all)
    const before = tokenRequests(all)
    all.provider.faultOnce('/token', fault)
    assert.equal((await refresh(all, handle)).said, said)
    assert.equal(tokenRequests(all) - before, requests)
    const acts = (await sessionEvents(all)).map(({ act }) => act)
    assert.equal(acts.includes('uncertain'), fault !== 'empty-400')
    assert.equal(acts.includes('refreshed'), said === 'answered')
  })
}

test('[S10] a gateway that is stopped and started again goes on with the sessions it had, and with nothing more', async () => {
  await using all = await people()
  const held = await openedSession(all)
  const other: Held = await openedSession(all)
  await all.whole.admin('session.revoke', { session: other.session, person: 'oscar' })
  await all.whole.stop()
  await all.whole.start()
  assert.equal((await refresh(all, other.handle)).said, 'session.invalid')
  assert.equal((await askAgent(all, ownPaths.whoami, undefined, [[ticketHeader, other.ticket]])).said, 'identity.ticket-invalid')
  assert.equal((await askAgent(all, ownPaths.whoami, undefined, [[ticketHeader, held.ticket]])).status, 200)
  assert.equal((await refresh(all, held.handle)).status, 200)
})

test('[R1] every session that was opened before a date is revoked, with its tickets, and the provider gets the tokens back', async () => {
  await using all = await people()
  const held = await openedSession(all)
  const date = Date.now()
  const newer = await openedSession(all)
  const ended = await all.whole.admin('session.revoke-issued-before', { before: date, person: 'oscar' })
  assert.deepEqual(ended, { kind: 'ended', sessions: [held.session] })
  assert.equal((await refresh(all, held.handle)).said, 'session.invalid')
  assert.equal((await askAgent(all, ownPaths.whoami, undefined, [[ticketHeader, held.ticket]])).said, 'identity.ticket-invalid')
  assert.equal((await refresh(all, newer.handle)).status, 200)
  while (!all.provider.seen.includes('/token/revocation')) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('[R3] a session ends after the configured time, whatever the provider says', async () => {
  await using all = await people({ sessions: { lifetime: '10m' } })
  const { body } = await (await logIn(all), askAgent(all, ownPaths.sessionClaim, {}))
  const left = Date.parse(String(body['sessionExpiresAt'])) - Date.now()
  assert.ok(left > 9 * 60_000 && left <= 10 * 60_000)
})

test('a person who says no leaves nothing behind: the provider gets its token back, and there is no session', async () => {
  await using all = await people()
  const browser = new Browser()
  const { id, link } = await startLogin(all)
  const page = await browser.submit(await browser.submit(await browser.open(link)), no)
  assert.match(page.text, /login\.refused/)
  assert.ok(all.provider.seen.includes('/token/revocation'))
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
  assert.match(JSON.stringify(await all.whole.admin('session.outcome', { id })), /login\.refused/)
})

test('a login that was asked for one account is not completed by another', async () => {
  await using all = await people()
  const browser = new Browser()
  const { link } = await startLogin(all, { expected: 'ben@example.com' })
  assert.match((await browser.submit(await browser.open(link))).text, /Another account logged in/)
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
})
