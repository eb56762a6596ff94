import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restMs } from '../../packages/gateway/src/control/sessions/session-record.ts'
import { proofOf, thumbprint } from './names.ts'
import { certificateRevoked, codeOf, openWorld, terms, type Answered, type World } from './world.ts'

/** Lets everything happen that waits for nothing but its turn. */
async function now(world: World): Promise<void> {
  await world.scheduler.runNow()
}

async function codes(world: World, ...answers: readonly Promise<Answered>[]): Promise<string[]> {
  await world.scheduler.run()
  world.invariants.atRest()
  return (await Promise.all(answers)).map(codeOf)
}

async function grantOf(world: World, answer: Promise<Answered>) {
  await world.scheduler.run()
  const got = await answer
  assert.ok(!('kind' in got), codeOf(got))
  return got
}

const count = (world: World, act: string): number => world.log.filter((entry) => entry.act === act).length

test('T01 two refreshes, one after the other, over two nodes', async () => {
  const world = await openWorld()
  const first = await grantOf(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle))
  const second = await grantOf(world, world.refresh(world.addNode(), world.caller('owner'), first.handle))
  assert.notEqual(first.handle, second.handle)
  assert.equal(world.provider.requests.length, 2)
  world.invariants.atRest()
})

test('T02 a stolen handle, the provider fast: no request, no change, and the owner is unharmed', async () => {
  const world = await openWorld()
  const before = JSON.stringify(world.row())
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.thief(), world.start.handle)), ['session.invalid'])
  assert.equal(world.provider.requests.length, 0)
  assert.equal(JSON.stringify(world.row()), before)
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['granted'])
})

test('T03 a handle that is stolen during a slow flight', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await now(world)
  const thief = world.refresh(node, world.thief(), world.start.handle)
  await now(world)
  assert.equal(codeOf(await thief), 'session.invalid', 'it waits for nothing')
  world.provider.release()
  assert.deepEqual(await codes(world, owner), ['granted'])
  assert.equal(world.provider.requests.length, 1)
})

test('T04 a certificate that is swapped between two turns of a wait', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const [owner, swapped, cut] = [world.caller('owner'), world.caller('owner, swapped'), world.caller('owner, cut')]
  const answers = [owner, swapped, cut].map((caller) => world.refresh(node, caller, world.start.handle))
  await now(world)
  swapped.proof = proofOf('mallory', 'mallory-key')
  cut.proof = certificateRevoked
  world.provider.release()
  assert.deepEqual(await codes(world, ...answers), ['granted', 'session.invalid', 'identity.certificate-revoked'])
})

test('T05 a thief replays the handle that was just rotated, in the window', async () => {
  const world = await openWorld()
  const node = world.addNode()
  const grant = await grantOf(world, world.refresh(node, world.caller('owner'), world.start.handle))
  assert.deepEqual(await codes(world, world.refresh(node, world.thief(), world.start.handle)), ['session.invalid'])
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), grant.handle)), ['granted'])
})

for (const [name, nodes] of [
  ['T06 ten at once on one node: one request, one successor', 1],
  ['T07 ten at once over two nodes: one request, one successor', 2],
] as const) {
  test(name, async () => {
    const world = await openWorld()
    const machines = Array.from({ length: nodes }, () => world.addNode())
    const answers = Array.from({ length: 10 }, (_, index) =>
      world.refresh(machines[index % nodes] ?? world.addNode(), world.caller(`owner ${index}`), world.start.handle),
    )
    assert.deepEqual(await codes(world, ...answers), Array(10).fill('granted'))
    assert.equal(world.provider.requests.length, 1)
    assert.equal(new Set(world.invariants.given.map(({ grant }) => grant.handle)).size, 1)
  })
}

test('T08 an answer that is lost on the way to the agent: the same successor again', async () => {
  const world = await openWorld()
  const first = await grantOf(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle))
  await world.scheduler.advance(terms.replayMs - 1)
  const again = await grantOf(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle))
  assert.equal(again.handle, first.handle)
  assert.equal(world.provider.requests.length, 1)
})

test('T09 the handle of before while its successor is in flight: 409, and nothing is revoked', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await now(world)
  const late = world.refresh(node, world.caller('owner, late'), world.start.previous)
  await now(world)
  assert.equal(codeOf(await late), 'session.stale-handle')
  world.provider.release()
  assert.deepEqual(await codes(world, owner), ['granted'])
})

test('T10 the handle of before, after the window: the family dies', async () => {
  const world = await openWorld()
  await world.scheduler.advance(terms.replayMs)
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.previous)), ['session.invalid'])
  assert.equal(count(world, 'reused'), 1)
  assert.deepEqual(world.provider.revoked, [world.start.token], 'the token is given back')
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['session.invalid'])
})

test('T11 a handle that was replaced twice, inside the window: the family dies', async () => {
  const world = await openWorld()
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.grandparent)), ['session.invalid'])
  assert.equal(world.row()['state'], 'revoked')
})

test('T12 a provider that is slower than the caller: 503, the flight lands, one request', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await world.scheduler.advance(12_000)
  assert.equal(codeOf(await owner), 'session.provider-unavailable')
  world.provider.release()
  await world.scheduler.run()
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), world.start.handle)), ['granted'])
  assert.equal(world.provider.requests.length, 1)
})

/** Takes the named way wherever the provider can answer so, as often as the budget has it. */
async function withProvider(way: string, times = 1): Promise<World> {
  return openWorld(
    (moves) =>
      Math.max(
        0,
        moves.findIndex(({ label }) => label.endsWith(`provider gets the token ${way}`)),
      ),
    { provider: times },
  )
}

async function afterAll(world: World): Promise<string> {
  await world.scheduler.advance(60_000)
  const [code = ''] = await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle))
  return code
}

test('T13 an answer that is lost after the provider has rotated: one probe, and the provider ends the family', async () => {
  const world = await withProvider('AND ITS ANSWER IS LOST')
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
  assert.equal(await afterAll(world), 'session.login-required')
  assert.equal(world.provider.requests.length, 2, 'once, and one probe')
})

for (const way of ['NEVER: RESET', 'NEVER: 503', 'NEVER: HANGS']) {
  test(`T14 the provider never got it (${way}): the probe brings the session on`, async () => {
    const world = await withProvider(way)
    assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
    assert.equal(await afterAll(world), 'granted')
    assert.equal(world.log.filter(({ isProbe }) => isProbe).length, 1)
  })
}

test('T14 a provider that cannot be reached at all is asked again after a rest, and ends nothing', async () => {
  const world = await withProvider('UNSENT', 9)
  const node = world.addNode()
  for (let times = 0; times < 3; times += 1)
    assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
  assert.ok(world.provider.requests.every(({ at }, index, all) => at - (all[index - 1]?.at ?? 0) >= restMs))
  world.scheduler.budget.provider = 0
  assert.equal(await afterAll(world), 'granted')
})

test('T15 a provider that hangs past the hard deadline: one request is cut, and no other before the quarantine is over', async () => {
  const world = await withProvider('AND HANGS')
  const node = world.addNode()
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
  for (let times = 0; times < 3; times += 1) {
    const [code] = await codes(world, world.refresh(node, world.caller('owner'), world.start.handle))
    assert.equal(code, 'session.provider-unavailable')
    await world.scheduler.advance(5000)
  }
  assert.equal(world.provider.requests.length, 1)
  assert.equal(await afterAll(world), 'session.login-required')
})

test('T16 a crash between the answer of the provider and its commit: the lease is waited for, then one probe', async () => {
  const world = await openWorld(
    (moves) =>
      Math.max(
        0,
        moves.findIndex(({ label }) => label.includes('CRASHES before') && label.includes('provider answers')),
      ),
    { crashes: 1 },
  )
  const owner = world.refresh(world.addNode(), world.caller('owner'), world.start.handle)
  await world.scheduler.run()
  assert.equal(codeOf(await owner), 'cut')
  const other = world.addNode()
  assert.deepEqual(await codes(world, world.refresh(other, world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
  assert.equal(world.provider.requests.length, 1, 'not while the lease runs')
  assert.equal(await afterAll(world), 'session.login-required')
})

test('T17 a node that wakes after its lease: it is fenced, and what it brings is given back', async () => {
  const world = await openWorld()
  const [sleeper, other] = [world.addNode(), world.addNode()]
  world.provider.holdsAnswers = true
  const lost = world.refresh(sleeper, world.caller('owner'), world.start.handle)
  await now(world)
  sleeper.machine.isPaused = true
  await world.scheduler.advance(terms.flightMs + terms.quarantineMs)
  world.provider.holdsAnswers = false
  const taken = world.refresh(other, world.caller('owner, elsewhere'), world.start.handle)
  await world.scheduler.run()
  const late = [...world.provider.tokens.keys()].at(-1) ?? ''
  sleeper.machine.isPaused = false
  world.provider.release()
  await world.scheduler.run()
  assert.equal(codeOf(await taken), 'session.login-required', 'this provider takes the probe for reuse')
  assert.notEqual(codeOf(await lost), 'granted')
  assert.deepEqual(world.provider.revoked, [late])
  world.invariants.atRest()
})

test('T18 a session that is revoked during its flight: the flight lands nowhere, and its token is given back', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await now(world)
  const revoking = world.revoke(world.addNode())
  await now(world)
  await revoking
  const late = [...world.provider.tokens.keys()].at(-1) ?? ''
  world.provider.release()
  assert.deepEqual(await codes(world, owner), ['session.invalid'])
  assert.ok(world.provider.revoked.includes(late) && world.provider.revoked.includes(world.start.token))
  assert.ok(world.ended.has(world.start.session), 'its live tickets are not believed any more')
})

test('T19 a network that doubles the request: the answer counts, and the next refresh tells that the family is dead', async () => {
  const world = await withProvider('TWICE')
  const node = world.addNode()
  const grant = await grantOf(world, world.refresh(node, world.caller('owner'), world.start.handle))
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), grant.handle)), ['session.login-required'])
})

/** Every transaction fails while this is true. */
async function withStoreAway(): Promise<{ world: World; store: { isAway: boolean } }> {
  const store = { isAway: false }
  const world = await openWorld((moves) => Math.max(0, store.isAway ? moves.findIndex(({ label }) => label.endsWith('store writes FAILS')) : 0), {
    faults: 100,
  })
  return { world, store }
}

test('T20 a store that is away for a moment: the answer is held, and lands', async () => {
  const { world, store } = await withStoreAway()
  world.provider.holdsAnswers = true
  const owner = world.refresh(world.addNode(), world.caller('owner'), world.start.handle)
  await now(world)
  store.isAway = true
  world.provider.release()
  await world.scheduler.advance(300)
  store.isAway = false
  assert.deepEqual(await codes(world, owner), ['granted'])
  assert.equal(world.provider.requests.length, 1)
})

test('T21 a store that stays away: nothing is answered, and the new token is given back', async () => {
  const { world, store } = await withStoreAway()
  world.provider.holdsAnswers = true
  const owner = world.refresh(world.addNode(), world.caller('owner'), world.start.handle)
  await now(world)
  store.isAway = true
  world.provider.release()
  assert.deepEqual(await codes(world, owner), ['session.provider-unavailable'])
  assert.equal(count(world, 'orphan-revoked'), 1)
  store.isAway = false
  assert.equal(await afterAll(world), 'session.login-required')
})

test('T22 nodes whose clocks are ten minutes off: one request, and the same lifetimes', async () => {
  const world = await openWorld()
  const [slow, fast] = [world.addNode(), world.addNode()]
  slow.clockShift = -600_000
  fast.clockShift = 600_000
  const answers = [world.refresh(slow, world.caller('owner'), world.start.handle), world.refresh(fast, world.caller('owner, again'), world.start.handle)]
  assert.deepEqual(await codes(world, ...answers), ['granted', 'granted'])
  assert.equal(world.provider.requests.length, 1)
  for (const { grant } of world.invariants.given) assert.ok(Math.abs(grant.ticketExpiresAt - world.scheduler.time - terms.ticketMs) < 1000)
})

test('T23 a renewed certificate takes the session over by its lineage alone, and the old one is out', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.issue('owner-key-2', 'owner-key')
  world.issue('fresh-key', undefined)
  world.invariants.ownCertificates.add(thumbprint('owner-key-2'))
  const fresh = world.caller('thief', proofOf('bot', 'fresh-key'), true)
  assert.deepEqual(await codes(world, world.refresh(node, fresh, world.start.handle)), ['session.invalid'])
  const grant = await grantOf(world, world.refresh(node, world.caller('owner', proofOf('bot', 'owner-key-2')), world.start.handle))
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner, old'), grant.handle)), ['session.invalid'])
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner', proofOf('bot', 'owner-key-2')), grant.handle)), ['granted'])
})

test('T24 a provider that refuses: everyone is told to log in, and it is not asked again', async () => {
  const world = await withProvider('AND REFUSES')
  const node = world.addNode()
  const answers = Array.from({ length: 10 }, (_, index) => world.refresh(node, world.caller(`owner ${index}`), world.start.handle))
  assert.deepEqual(await codes(world, ...answers), Array(10).fill('session.login-required'))
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), world.start.handle)), ['session.login-required'])
  assert.equal(world.provider.requests.length, 1)
})

for (const way of ['FOR MORE', 'FOR ANOTHER SUBJECT']) {
  test(`T25 an answer ${way.toLowerCase()}: nothing is handed out, and the tokens are given back`, async () => {
    const world = await withProvider(way)
    assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['session.login-required'])
    assert.equal(world.provider.revoked.length, 1)
  })
}

test('T26 an answer that comes after the deadline is given back, and nobody gets it', async () => {
  const world = await withProvider('AND ANSWERS AFTER THE DEADLINE')
  assert.deepEqual(await codes(world, world.refresh(world.addNode(), world.caller('owner'), world.start.handle)), ['session.provider-unavailable'])
  assert.equal(count(world, 'orphan-revoked'), 1)
})

test('T27 a session ends when its time is over, whatever the provider says', async () => {
  const world = await openWorld()
  const node = world.addNode()
  const left = Number(world.row()['expires_at']) - world.scheduler.time
  await world.scheduler.advance(left - 1000)
  const grant = await grantOf(world, world.refresh(node, world.caller('owner'), world.start.handle))
  assert.ok(grant.ticketExpiresAt <= grant.sessionExpiresAt, 'a ticket ends with its session')
  await world.scheduler.advance(1000)
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), grant.handle)), ['session.invalid'])
  assert.equal(world.provider.requests.length, 1)
})

test('T28 a lifetime that is shortened shortens the sessions there are', async () => {
  const world = await openWorld()
  await world.scheduler.advance(3_600_000)
  const shortened = world.addNode('shortened', { lifetimeMs: 3_600_000 })
  assert.deepEqual(await codes(world, world.refresh(shortened, world.caller('owner'), world.start.handle)), ['session.invalid'])
})

test('T29 a thief who knocks a thousand times fills no log: the rest is counted', async () => {
  const world = await openWorld()
  const node = world.addNode()
  for (let times = 0; times < 1000; times += 1) await codes(world, world.refresh(node, world.thief(), world.start.handle))
  assert.equal(count(world, 'ownership-failed'), 5)
  assert.equal(world.counted.length, 995)
})

test('T30 an entry that cannot be written keeps the request from leaving, and costs no attempt', async () => {
  const world = await openWorld(
    (moves) =>
      Math.max(
        0,
        moves.findIndex(({ label }) => label.endsWith('log validated FAILS')),
      ),
    { faults: 1 },
  )
  const node = world.addNode()
  assert.deepEqual(await codes(world, world.refresh(node, world.caller('owner'), world.start.handle)), ['granted'], 'the second time it was written')
  assert.equal(world.provider.requests.length, 1)
})
