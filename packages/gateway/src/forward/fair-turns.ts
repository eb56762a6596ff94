/**
 * Lets so many go at once and so many wait, with nobody taking it all: of both, one agent has at most half (rounded up), and those that wait go agent by agent in
 * turn. Half, and not all while nobody else waits: what goes may stay for hours.
 */
export class FairTurns<Item> {
  readonly #goingMax: number
  readonly #waitingMax: number
  readonly #going = new Map<string, number>()
  #goingCount = 0
  /** Agents in the order of their turns, each with its items in the order they came. */
  readonly #waiting = new Map<string, Set<Item>>()
  #waitingCount = 0

  constructor(goingMax: number, waitingMax: number) {
    this.#goingMax = goingMax
    this.#waitingMax = waitingMax
  }

  /** Whether the agent may `enter`, be it to wait. */
  hasRoomFor(agent: string): boolean {
    return this.#mayGo(agent) || (this.#waitingCount < this.#waitingMax && (this.#waiting.get(agent)?.size ?? 0) < half(this.#waitingMax))
  }

  /** True when the item has a place at once, until `leave`; otherwise it waits for one. */
  enter(agent: string, item: Item): boolean {
    if (this.#mayGo(agent)) {
      this.#go(agent)
      return true
    }
    this.#waiting.set(agent, (this.#waiting.get(agent) ?? new Set()).add(item))
    this.#waitingCount += 1
    return false
  }

  /** Gives up a place, or the wait for one. The item that is returned now has a place. */
  leave(agent: string, item: Item): Item | undefined {
    if (this.#forget(agent, item)) return undefined
    const left = (this.#going.get(agent) ?? 1) - 1
    if (left === 0) this.#going.delete(agent)
    else this.#going.set(agent, left)
    this.#goingCount -= 1
    return this.#next()
  }

  get waiting(): readonly Item[] {
    return [...this.#waiting.values()].flatMap((queue) => [...queue])
  }

  #next(): Item | undefined {
    for (const [agent, queue] of this.#waiting) {
      const [item] = queue
      if (item === undefined || !this.#mayGo(agent)) continue
      this.#forget(agent, item)
      if (this.#waiting.delete(agent)) this.#waiting.set(agent, queue) // behind the others
      this.#go(agent)
      return item
    }
    return undefined
  }

  #mayGo(agent: string): boolean {
    return this.#goingCount < this.#goingMax && (this.#going.get(agent) ?? 0) < half(this.#goingMax)
  }

  #go(agent: string): void {
    this.#going.set(agent, (this.#going.get(agent) ?? 0) + 1)
    this.#goingCount += 1
  }

  #forget(agent: string, item: Item): boolean {
    const queue = this.#waiting.get(agent)
    if (!queue?.delete(item)) return false
    this.#waitingCount -= 1
    if (queue.size === 0) this.#waiting.delete(agent)
    return true
  }
}

function half(count: number): number {
  return Math.ceil(count / 2)
}
