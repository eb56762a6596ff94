import { proofOf, thumbprint } from './names.ts'
import { chooseBy, randomOf } from './explore.ts'
import { ownerComesBack } from './scenarios.ts'
import { as, type Budget } from './scheduler.ts'
import { certificateRevoked, openWorld, type Caller, type Node, type World } from './world.ts'

type Act = (story: Story) => void

/** A run as one seed makes it: what happens, in which order, and how odd it gets. */
class Story {
  readonly world: World
  readonly #random: () => number
  /** The key that the owner has renewed to. */
  #renewals = 0

  constructor(world: World, random: () => number) {
    this.world = world
    this.#random = random
  }

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  oneOf<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0]
  }

  get ownerKey(): string {
    return this.#renewals === 0 ? 'owner-key' : `owner-key-${this.#renewals}`
  }

  owner(name = `owner ${this.below(1000)}`): Caller {
    return this.world.caller(name, proofOf('bot', this.ownerKey))
  }

  thief(): Caller {
    const key = this.oneOf(['mallory-key', 'fresh-key'])
    return this.world.caller(`thief ${this.below(1000)}`, proofOf(key === 'fresh-key' ? 'bot' : 'mallory', key), true)
  }

  renew(): void {
    const before = this.ownerKey
    this.#renewals += 1
    this.world.issue(this.ownerKey, before)
    this.world.invariants.ownCertificates.add(thumbprint(this.ownerKey))
  }

  node(): Node {
    const { world } = this
    const alive = world.nodes.filter(({ machine }) => !machine.isDead)
    const chosen = alive[this.below(alive.length)]
    if (chosen && alive.length >= 3) return chosen
    if (chosen && this.below(3) > 0) return chosen
    const node = world.addNode()
    node.clockShift = this.oneOf([0, 0, 600_000, -600_000])
    return node
  }

  /** Usually the newest that anyone was given, as a thief who reads the agent's files has it too. */
  handle(): string {
    const { start, invariants } = this.world
    const known = [start.grandparent, start.previous, start.handle, ...new Set(invariants.given.map(({ grant }) => grant.handle))]
    const back = this.oneOf([0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
    return known[Math.max(0, known.length - 1 - back)] ?? start.handle
  }

  begin(caller: Caller): void {
    void this.world.refresh(this.node(), caller, this.handle())
  }
}

const ownerRefreshes: Act = (story) => story.begin(story.owner())

/** In such shares. */
const acts: readonly [Act, ...Act[]] = [
  ownerRefreshes,
  ownerRefreshes,
  ownerRefreshes,
  ownerRefreshes,
  ownerRefreshes,
  (story) => story.begin(story.thief()),
  (story) => story.begin(story.thief()),
  (story) => void story.world.claim(story.node(), story.thief()),
  (story) => {
    const thief = story.thief()
    void story.world.end(story.node(), thief, story.handle()).catch(() => undefined)
  },
  (story) => {
    const caller = story.owner()
    story.begin(caller)
    void story.world.event('renewal', () => {
      story.renew()
      caller.proof = proofOf('bot', story.ownerKey)
    })
  },
  (story) => {
    const caller = story.owner()
    story.begin(caller)
    void story.world.event('swap', () => void (caller.proof = proofOf('mallory', 'mallory-key')))
  },
  (story) => {
    const caller = story.owner()
    story.begin(caller)
    void story.world.event('cut', () => void (caller.proof = certificateRevoked))
  },
  (story) => void as('sweeper', () => story.node().register.sweep()),
]

const rarely: readonly [Act, ...Act[]] = [
  (story) => void story.world.revoke(story.node()).catch(() => undefined),
  (story) => void as('operator', () => story.node().register.quarantine(story.world.start.session, 'ops')).catch(() => undefined),
  (story) => void story.world.end(story.node(), story.owner(), story.handle()).catch(() => undefined),
]

/** One run by its seed. @throws Violation */
export async function runGenerated(seed: number): Promise<World> {
  const random = randomOf(seed)
  const some = (most: number): number => (random() < 0.5 ? 0 : Math.floor(random() * (most + 1)))
  const budget: Budget = { crashes: some(2), faults: some(3), provider: some(3), stalls: some(4), clockSteps: some(1), pauses: some(2) }
  const world = await openWorld(chooseBy(random), budget)
  const story = new Story(world, random)
  world.issue('fresh-key', undefined)
  for (let rounds = 1 + story.below(4); rounds > 0; rounds -= 1) {
    for (let count = 1 + story.below(5); count > 0; count -= 1) story.oneOf(story.below(25) === 0 ? rarely : acts)(story)
    await (story.below(3) === 0 ? world.scheduler.advance(story.below(60_000)) : world.scheduler.run())
    world.invariants.check()
  }
  await ownerComesBack(world, proofOf('bot', story.ownerKey), true)
  return world
}
