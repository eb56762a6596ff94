import assert from 'node:assert/strict'
import { proofOf, thumbprint } from './names.ts'
import type { Budget, Choose } from './scheduler.ts'
import { certificateRevoked, codeOf, openWorld, startGeneration, type Answered, type Caller, type Node, type World } from './world.ts'

/** What is explored to the end: everything that can happen in it, in every order, with as many odd things as its budget holds. */
export interface Scenario {
  readonly name: string
  readonly budget: Partial<Budget>
  /** Begins what happens; what it gives is checked when nothing moves any more. */
  begin(world: World): readonly Promise<Answered | void>[]
  /** What the callers got, in the same order. */
  readonly expect?: (codes: readonly string[], world: World) => void
}

/** Runs a scenario once; @throws Violation */
export async function runScenario(scenario: Scenario, choose: Choose): Promise<void> {
  const world = await openWorld(choose, scenario.budget)
  const begun = scenario.begin(world)
  await world.scheduler.run()
  const answers = await Promise.all(begun)
  world.invariants.atRest()
  scenario.expect?.(
    answers.map((answer) => (answer === undefined ? 'done' : codeOf(answer))),
    world,
  )
  await ownerComesBack(world)
}

/**
 * Whatever has happened: some time later, with nothing odd any more, the owner gets a clear answer with the newest handle that it has.
 *
 * @param mayHaveEnded whether the owner itself may have done what ends a session, such as showing an old handle
 */
export async function ownerComesBack(world: World, proof = proofOf('bot', 'owner-key'), mayHaveEnded = false): Promise<Answered> {
  const { scheduler, invariants } = world
  const isRevoked = world.row()['state'] === 'revoked'
  scheduler.calmDown()
  world.provider.release()
  await scheduler.run()
  const node = world.addNode('the last node')
  const newest = invariants.given.reduce((best, given) => (given.generation > best.generation ? given : best), {
    generation: startGeneration,
    grant: { handle: world.start.handle },
  })
  let answer: Answered = certificateRevoked
  const ownsStill = world.row()['certificate'] === proof.thumbprint
  for (let times = 0; times < 4; times += 1) {
    await scheduler.advance(60_000)
    const arrival = world.refresh(node, world.caller('the owner, back', proof), newest.grant.handle)
    await scheduler.run()
    answer = await arrival
    if (!['session.provider-unavailable', 'session.unavailable'].includes(codeOf(answer))) break
  }
  invariants.atRest()
  const clear =
    isRevoked || mayHaveEnded || !ownsStill || scheduler.odd.has('clockSteps')
      ? ['granted', 'session.invalid', 'session.login-required']
      : ['granted', 'session.login-required']
  assert.ok(clear.includes(codeOf(answer)), `the owner is left with ${codeOf(answer)}\n  ${scheduler.trace.join('\n  ')}`)
  if (scheduler.odd.size === 0 && !isRevoked && !mayHaveEnded && ownsStill)
    assert.equal(codeOf(answer), 'granted', `the owner lost its session\n  ${scheduler.trace.join('\n  ')}`)
  return answer
}

const ownerOf = (world: World, node: Node, name = 'owner', handle = world.start.handle): Promise<Answered> => world.refresh(node, world.caller(name), handle)

/** The certificate on a connection is another one from here on. */
const swapped = (world: World, caller: Caller, proof: Caller['proof']): Promise<void> => world.event('swap', () => void (caller.proof = proof))

/** Who got nothing asks another node, later. */
const thenElsewhere: Scenario['begin'] = (world) => [
  ownerOf(world, world.addNode()).then(() => undefined),
  world.after(30_000, () => ownerOf(world, world.addNode(), 'owner, elsewhere')),
]

function everyoneGets(...expected: readonly string[]) {
  return (codes: readonly string[], world: World): void => {
    assert.deepEqual(codes, expected, world.scheduler.trace.join('\n'))
  }
}

function asksOnce(...expected: readonly string[]) {
  return (codes: readonly string[], world: World): void => {
    everyoneGets(...expected)(codes, world)
    assert.equal(world.provider.requests.length, 1, 'the provider is asked once')
  }
}

/** These end within seconds. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'two callers with one handle on one node',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), ownerOf(world, node, 'owner, again')]
    },
    expect: asksOnce('granted', 'granted'),
  },
  {
    name: 'two callers with one handle on two nodes',
    budget: {},
    begin: (world) => [ownerOf(world, world.addNode()), ownerOf(world, world.addNode(), 'owner, again')],
    expect: asksOnce('granted', 'granted'),
  },
  {
    name: 'an owner, and two thieves with the current and the previous handle',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      return [
        ownerOf(world, node),
        world.refresh(node, world.thief(), world.start.handle),
        world.refresh(world.addNode(), world.thief('thief 2'), world.start.previous),
      ]
    },
    expect: asksOnce('granted', 'session.invalid', 'session.invalid'),
  },
  {
    name: 'a thief, and every odd answer of the provider',
    budget: { provider: 1 },
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), world.refresh(node, world.thief(), world.start.handle)]
    },
    expect: (codes) => assert.equal(codes[1], 'session.invalid'),
  },
  {
    name: 'a certificate of the same agent from another enrolment',
    budget: {},
    begin: (world) => {
      world.issue('fresh-key', undefined)
      const node = world.addNode()
      return [ownerOf(world, node), world.refresh(node, world.caller('thief', proofOf('bot', 'fresh-key'), true), world.start.handle)]
    },
    expect: asksOnce('granted', 'session.invalid'),
  },
  {
    name: 'a certificate that is swapped for a stranger’s at any moment',
    budget: {},
    begin: (world) => {
      const caller = world.caller('owner, swapped')
      return [world.refresh(world.addNode(), caller, world.start.handle), swapped(world, caller, proofOf('mallory', 'mallory-key'))]
    },
  },
  {
    name: 'a certificate that is revoked at any moment, alone',
    budget: {},
    begin: (world) => {
      const caller = world.caller('owner')
      return [world.refresh(world.addNode(), caller, world.start.handle), swapped(world, caller, certificateRevoked)]
    },
  },
  {
    name: 'a certificate that is renewed at any moment',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      const caller = world.caller('owner, renewed')
      world.issue('owner-key-2', 'owner-key')
      world.invariants.ownCertificates.add(thumbprint('owner-key-2'))
      return [world.refresh(node, caller, world.start.handle), swapped(world, caller, proofOf('bot', 'owner-key-2'))]
    },
    expect: asksOnce('granted', 'done'),
  },
  {
    name: 'a session that is revoked at any moment',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), world.revoke(world.addNode())]
    },
  },
  {
    name: 'every odd answer of the provider',
    budget: { provider: 1, stalls: 2 },
    begin: (world) => [ownerOf(world, world.addNode())],
  },
  {
    name: 'two odd answers of the provider, one after the other',
    budget: { provider: 2 },
    begin: (world) => [ownerOf(world, world.addNode())],
  },
  {
    name: 'a crash at every port call, with another node to go to',
    budget: { crashes: 1 },
    begin: (world) => [ownerOf(world, world.addNode()), ownerOf(world, world.addNode(), 'owner, again')],
  },
  {
    name: 'the handle of before, shown by its owner while its successor is used',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), ownerOf(world, node, 'owner, again', world.start.previous)]
    },
  },
  {
    name: 'a handle that was replaced twice, shown with the key, while its session is refreshed',
    budget: {},
    begin: (world) => [ownerOf(world, world.addNode()), ownerOf(world, world.addNode(), 'owner, much earlier', world.start.grandparent)],
    expect: (codes, world) => {
      assert.equal(codes[1], 'session.invalid')
      assert.equal(world.row()['state'], 'revoked', 'the family dies')
    },
  },
  {
    name: 'two nodes whose clocks are twenty minutes apart',
    budget: {},
    begin: (world) => {
      const [slow, fast] = [world.addNode(), world.addNode()]
      slow.clockShift = -600_000
      fast.clockShift = 600_000
      return [ownerOf(world, slow), ownerOf(world, fast, 'owner, again')]
    },
    expect: asksOnce('granted', 'granted'),
  },
  {
    name: 'a failure of store or log at every call of theirs, before and after it is done',
    budget: { faults: 1 },
    begin: (world) => [ownerOf(world, world.addNode())],
  },
]

/** These take minutes. */
export const longScenarios: readonly Scenario[] = [
  {
    name: 'two callers, and the certificate of one is swapped at any moment',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      const other = world.caller('owner, swapped')
      return [ownerOf(world, node), world.refresh(node, other, world.start.handle), swapped(world, other, proofOf('mallory', 'mallory-key'))]
    },
  },
  {
    name: 'a node that stops for a while, and its caller goes to another one',
    budget: { pauses: 1 },
    begin: thenElsewhere,
  },
  {
    name: 'the clock of the store put at any moment',
    budget: { clockSteps: 1 },
    begin: (world) => [ownerOf(world, world.addNode())],
  },
  {
    name: 'a thief while the provider is slow, and every odd answer of it',
    budget: { provider: 1, stalls: 1 },
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), world.refresh(node, world.thief(), world.start.handle)]
    },
    expect: (codes) => assert.equal(codes[1], 'session.invalid'),
  },
  {
    name: 'three callers with one handle on three nodes',
    budget: {},
    begin: (world) => [
      ownerOf(world, world.addNode()),
      ownerOf(world, world.addNode(), 'owner, again'),
      ownerOf(world, world.addNode(), 'owner, a third time'),
    ],
    expect: asksOnce('granted', 'granted', 'granted'),
  },
  {
    name: 'a session that is revoked while two wait',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), ownerOf(world, world.addNode(), 'owner, again'), world.revokeAlone(node)]
    },
  },
  {
    name: 'two callers, and a failure of store or log',
    budget: { faults: 1 },
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), ownerOf(world, node, 'owner, again')]
    },
  },
  {
    name: 'a node that stops for a while, and two callers on two nodes',
    budget: { pauses: 1 },
    begin: (world) => [ownerOf(world, world.addNode()), ownerOf(world, world.addNode(), 'owner, again')],
  },
  {
    name: 'an odd answer of the provider and a crash',
    budget: { provider: 1, crashes: 1 },
    begin: thenElsewhere,
  },
  {
    name: 'an odd answer of the provider and a failure of store or log',
    budget: { provider: 1, faults: 1 },
    begin: (world) => [ownerOf(world, world.addNode())],
  },
  {
    name: 'a crash and a failure of store or log',
    budget: { crashes: 1, faults: 1 },
    begin: thenElsewhere,
  },
  {
    name: 'a revocation and a crash',
    budget: { crashes: 1 },
    begin: (world) => {
      const node = world.addNode()
      return [ownerOf(world, node), world.revoke(node)]
    },
  },
  {
    name: 'a node that stops for a while, and an odd answer of the provider',
    budget: { pauses: 1, provider: 1 },
    begin: thenElsewhere,
  },
  {
    name: 'two callers, a certificate renewed and one swapped',
    budget: {},
    begin: (world) => {
      const node = world.addNode()
      const [renewed, other] = [world.caller('owner, renewed'), world.caller('owner, swapped')]
      world.issue('owner-key-2', 'owner-key')
      world.invariants.ownCertificates.add(thumbprint('owner-key-2'))
      return [
        world.refresh(node, renewed, world.start.handle),
        world.refresh(world.addNode(), other, world.start.handle),
        swapped(world, renewed, proofOf('bot', 'owner-key-2')),
        swapped(world, other, proofOf('mallory', 'mallory-key')),
      ]
    },
  },
]
