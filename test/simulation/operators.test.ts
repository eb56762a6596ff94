import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orphanOffersMax, orphanRetryMs, sessionsPerAgentMax } from '../../packages/gateway/src/control/sessions/session-record.ts'
import { owner } from './names.ts'
import type { Move } from './scheduler.ts'
import { codeOf, openWorld, terms, type Node, type World } from './world.ts'

const acts = (world: World): string[] => world.log.map(({ act }) => act)

async function done<Result>(world: World, work: Promise<Result>): Promise<Result> {
  await world.scheduler.run()
  return work
}

const refresh = async (world: World, node: Node): Promise<string> => codeOf(await done(world, world.refresh(node, world.caller('owner'), world.start.handle)))

const login = (agent = 'bot', refreshToken = 'a token') =>
  ({ owner: owner(agent), issuer: 'https://idp.test', subject: 'alice', scopes: ['openid'], person: 'ops', refreshToken }) as const

test('what was issued before a date is revoked, its token given back, and its tickets with it', async () => {
  const world = await openWorld()
  const node = world.addNode()
  const openedAt = Number(world.row()['opened_at'])
  assert.deepEqual(await done(world, node.register.revokeIssuedBefore(openedAt, 'ops')), [])
  assert.equal((await done(world, node.register.revokeIssuedBefore(openedAt + 1, 'ops'))).length, 1)
  assert.deepEqual(acts(world), ['revoked', 'orphan-revoked'])
  assert.equal(world.log[0]?.person, 'ops')
  assert.deepEqual(world.provider.revoked, [world.start.token])
  assert.ok(world.ended.has(world.start.session))
  assert.equal(await refresh(world, node), 'session.invalid')
})

test('a session that counts as breached is quarantined, and its agent told that a person must log in', async () => {
  const world = await openWorld()
  const node = world.addNode()
  assert.deepEqual(await done(world, node.register.quarantine(world.start.session, 'ops')), { kind: 'ended' })
  assert.deepEqual(await done(world, node.register.quarantine(world.start.session, 'ops')), { kind: 'ended' })
  assert.equal(acts(world).filter((act) => act === 'quarantined').length, 1)
  assert.equal(await refresh(world, node), 'session.login-required')
  const unknown = await done(world, node.register.revoke('none', 'ops'))
  assert.equal(unknown.kind === 'refused' && unknown.problem.code, 'control.not-found')
})

test('a login opens a session once it is written, for the agent alone, and so many times', async () => {
  const failing = await openWorld(
    (moves: readonly Move[]) =>
      Math.max(
        0,
        moves.findIndex(({ label }) => label.endsWith('log opened FAILS')),
      ),
    { faults: 1 },
  )
  const opening = failing.addNode().register.open(login('other'))
  await Promise.all([assert.rejects(opening), failing.scheduler.run()])
  assert.equal(failing.database.rows('sessions').length, 1)

  const world = await openWorld()
  const node = world.addNode()
  for (let index = 1; index <= sessionsPerAgentMax; index += 1) {
    const opened = await done(world, node.register.open(login('bot', `token ${index}`)))
    if (index === sessionsPerAgentMax) assert.equal(opened.kind === 'refused' && opened.problem.code, 'control.conflict')
    else assert.equal(codeOf(await done(world, world.claim(node, world.caller('owner')))), 'granted')
  }
  const listed = await done(world, node.register.list({ isLive: true }))
  assert.equal(listed.length, sessionsPerAgentMax)
  assert.ok(
    listed.every((session) => !JSON.stringify(session).includes('token')),
    'operators see no token and no handle',
  )
})

test('the agent ends its session with any handle of it', async () => {
  const world = await openWorld()
  const node = world.addNode()
  assert.equal(await done(world, world.end(node, world.caller('owner'), world.start.previous)), 'ended')
  assert.equal(await done(world, world.end(node, world.caller('owner'), world.start.handle)), 'ended')
  assert.equal(acts(world).filter((act) => act === 'revoked').length, 1)
  assert.equal(await refresh(world, node), 'session.invalid')
})

test('a sweep ends what is past its end', async () => {
  const world = await openWorld()
  const node = world.addNode()
  await done(world, node.register.sweep())
  assert.deepEqual(acts(world), [])
  await world.scheduler.advance(terms.lifetimeMs)
  await done(world, node.register.sweep())
  assert.deepEqual(acts(world), ['expired', 'orphan-revoked'])
})

test('a token that the provider does not take back is offered again, and at last told as lost', async () => {
  const world = await openWorld(
    (moves: readonly Move[]) =>
      Math.max(
        0,
        moves.findIndex(({ label }) => label.endsWith('provider revokes NOT')),
      ),
    { provider: 1000 },
  )
  const node = world.addNode()
  await done(world, node.register.revoke(world.start.session, 'ops'))
  for (let offers = 2; offers < orphanOffersMax; offers += 1) {
    await world.scheduler.advance(orphanRetryMs)
    await done(world, node.register.sweep())
  }
  assert.deepEqual(acts(world), ['revoked'])
  await world.scheduler.advance(orphanRetryMs)
  await done(world, node.register.sweep())
  assert.deepEqual(acts(world), ['revoked', 'orphan-lost'])
  assert.equal(world.database.rows('session_orphans').length, 0)
})

test('what is no handle is refused without asking anyone', async () => {
  const world = await openWorld()
  const node = world.addNode()
  for (const handle of ['', 'x', `${world.start.handle}x`, world.start.handle.slice(1), `${world.start.handle.slice(1)}=`]) {
    assert.equal(codeOf(await world.refresh(node, world.caller('owner'), handle)), 'session.invalid')
    const ended = await world.end(node, world.caller('owner'), handle)
    assert.equal(ended !== 'ended' && ended.problem.code, 'session.invalid')
  }
  assert.deepEqual(world.scheduler.trace, [])
})

test('a node that stops waits for its flights', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const answer = world.refresh(node, world.caller('owner'), world.start.handle)
  await world.scheduler.runNow()
  let isClosed = false
  const closing = node.sessions.close().then(() => (isClosed = true))
  await world.scheduler.runNow()
  assert.equal(isClosed, false)
  world.provider.release()
  await world.scheduler.run()
  await closing
  assert.equal(codeOf(await answer), 'granted')
})
