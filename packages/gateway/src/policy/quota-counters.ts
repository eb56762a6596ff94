import type { Subject } from './match.ts'
import { exactMax, type Limit, type Quota, type Unit } from './quota.ts'

/** Most counters that one agent can have opened and not let run out; past it, its calls are refused until some do. */
export const countersPerAgentMax = 4096

/** Longest part of an action's name that tells counters apart. */
const actionLengthMax = 512

/** What a call uses, cost in millionths of the currency; undefined where that is not known. */
export type Use = Readonly<Record<Unit, number | undefined>>

interface Counter {
  level: number
  /** Held back for calls under way: it counts like the level and does not drain. */
  reserved: number
  atMs: number
  /** Whom the counter is booked to: whoever opened it. */
  readonly owner: string
  readonly limit: Limit
}

/** What is used and held back at one moment. */
export interface DumpedQuotas {
  readonly latestMs: number
  readonly counters: readonly {
    readonly key: string
    readonly level: number
    readonly reserved: number
    readonly atMs: number
    readonly owner: string
    readonly limit: Limit
  }[]
  /** `counter`: its place among `counters`. */
  readonly reservations: readonly { readonly request: string; readonly held: readonly { readonly counter: number; readonly weighted: number }[] }[]
}

export type Charge =
  | {
      readonly kind: 'exhausted'
      readonly quota: string
      /** Undefined: waiting does not help. */
      readonly retryAfterMs: number | undefined
      readonly reason: string
      /** For the caller, where it can do something else than wait. */
      readonly detail?: string
    }
  | { readonly kind: 'charged'; readonly quotas: readonly string[]; readonly isReserved: boolean }

/**
 * What is used of every quota: the generic cell rate algorithm in its leaky-bucket form. A counter rises with each use, drains with time, and never rises past
 * its capacity by what is charged; so from empty at most the capacity passes at once, and over any stretch of time at most that plus what drained meanwhile.
 * All arithmetic is on whole numbers: nothing is ever rounded in anyone's favour. A clock that steps back stands still here until it has caught up.
 *
 * Requests count when they are charged. Of tokens and cost the most that the call can use is held back then, and `settle` turns it into what was used. Only
 * use above what was held back (which a provider then claims) can lift a level past its capacity, and it must drain before the next call.
 *
 * Memory: a counter exists only while it is above empty, or until the next sweep. It takes about 300 bytes, and an agent can hold at most
 * `countersPerAgentMax`; a counter in use is never dropped to make room, since forgetting use would hand out more than the quota.
 *
 * @see ITU-T I.371 Annex A (the two forms of the generic cell rate algorithm)
 */
export class QuotaCounters {
  readonly #counters = new Map<string, Counter>()
  readonly #openedBy = new Map<string, Set<string>>()
  /** By the id of the request that waits for its outcome. */
  readonly #reservations = new Map<string, readonly { readonly counter: Counter; readonly weighted: number }[]>()
  #latestMs = 0
  #chargesSinceSweep = 0

  /** Counters held, those included that have run out since the last sweep. */
  get size(): number {
    return this.#counters.size
  }

  /** Calls whose reserve waits to be settled. */
  get reservations(): number {
    return this.#reservations.size
  }

  /** Lets time pass; it never goes back. */
  advance(nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs)
  }

  /** Charges every one of the quotas or none. What is reserved waits for `settle` with the same `request`. */
  charge(quotas: readonly Quota[], subject: Subject, use: Use, request: string, nowMs: number): Charge {
    const counting = quotas.filter(({ limits }) => limits.some(({ unit }) => use[unit] !== 0))
    const [first] = counting
    if (!first) return { kind: 'charged', quotas: [], isReserved: false }
    this.advance(nowMs)
    const behindMs = this.#latestMs - nowMs
    let opening = 0
    for (const quota of counting) {
      for (const limit of quota.limits) {
        const amount = use[limit.unit]
        if (amount === 0) continue
        if (amount === undefined) return unbounded(quota, limit)
        const counter = this.#counters.get(keyOf(quota, limit, subject))
        if (!counter) opening += 1
        const excess = (counter ? this.#levelOf(counter) + counter.reserved : 0) + amount * limit.weight - limit.capacity
        if (excess <= 0) continue
        if (amount * limit.weight > limit.capacity) return tooLarge(quota, limit)
        return { kind: 'exhausted', quota: quota.id, retryAfterMs: Math.ceil(excess / limit.drainPerMs) + behindMs, reason: 'used up' }
      }
    }
    const owner = ownerOf(subject)
    if (opening > 0 && !this.#hasRoom(owner, opening)) {
      return { kind: 'exhausted', quota: first.id, retryAfterMs: this.#msToRoom(owner) + behindMs, reason: `the agent uses ${countersPerAgentMax} counters` }
    }
    const isReserved = this.add(counting, subject, use, request, nowMs)
    return { kind: 'charged', quotas: counting.map(({ id }) => id), isReserved }
  }

  /** Charges without asking: for replaying what was permitted before. True when something is reserved now. */
  add(quotas: readonly Quota[], subject: Subject, use: Use, request: string, nowMs: number): boolean {
    this.advance(nowMs)
    const held: { readonly counter: Counter; readonly weighted: number }[] = []
    for (const quota of quotas) {
      for (const limit of quota.limits) {
        const amount = use[limit.unit] ?? 0
        if (amount === 0) continue
        const weighted = Math.min(amount * limit.weight, exactMax)
        const counter = this.#open(quota, limit, subject)
        if (limit.unit === 'requests') {
          this.#raise(counter, weighted)
        } else {
          counter.reserved += weighted
          held.push({ counter, weighted })
        }
      }
    }
    if (held.length > 0) {
      if (this.#reservations.has(request)) throw new TypeError('a request reserves once')
      this.#reservations.set(request, held)
    }
    this.#chargesSinceSweep += 1
    // As often as it costs nothing on average.
    if (this.#chargesSinceSweep > Math.max(sweepEvery, this.#counters.size)) {
      this.#chargesSinceSweep = 0
      this.#sweep()
    }
    return held.length > 0
  }

  /** Turns what the request has reserved into what it used; a unit of which nothing is known counts as used in full. */
  settle(request: string, used: Pick<Use, 'tokens' | 'cost'>, nowMs: number): void {
    const held = this.#reservations.get(request)
    if (!held) return
    this.advance(nowMs)
    this.#reservations.delete(request)
    for (const { counter, weighted } of held) {
      const { unit, weight } = counter.limit
      const amount = unit === 'requests' ? undefined : used[unit]
      counter.reserved = Math.max(0, counter.reserved - weighted)
      this.#raise(counter, amount === undefined ? weighted : amount * weight)
    }
  }

  /** Counts every open reserve as used: the gateway that waited for these outcomes is gone. */
  settleAll(nowMs: number): void {
    for (const request of this.#reservations.keys()) this.settle(request, { tokens: undefined, cost: undefined }, nowMs)
  }

  /** Everything, for `restore`. */
  dump(): DumpedQuotas {
    const places = new Map<Counter, number>()
    const counters = [...this.#counters].map(([key, counter], at) => {
      places.set(counter, at)
      return { key, ...counter }
    })
    const reservations = [...this.#reservations].map(([request, held]) => ({
      request,
      held: held.map(({ counter, weighted }) => ({ counter: places.get(counter) ?? -1, weighted })),
    }))
    return { latestMs: this.#latestMs, counters, reservations }
  }

  /** Takes over what `dump` gave, into an empty one: use under a quota that is not among `quotas` with the same numbers is dropped. */
  restore({ latestMs, counters, reservations }: DumpedQuotas, quotas: readonly Quota[]): void {
    this.advance(latestMs)
    const limits = new Map(quotas.flatMap(({ id, limits: own }) => own.map((limit) => [limitKey(id, limit), limit])))
    const restored = counters.map(({ key, owner, level, reserved, atMs, limit: before }): Counter | undefined => {
      const limit = limits.get(limitKey(key.split('\u0000', 1)[0] ?? '', before))
      if (!limit) return undefined
      const counter: Counter = { level, reserved, atMs, owner, limit }
      this.#keep(key, counter)
      return counter
    })
    for (const { request, held } of reservations) {
      const kept = held.flatMap(({ counter: at, weighted }) => {
        const counter = restored[at]
        return counter ? [{ counter, weighted }] : []
      })
      if (kept.length > 0) this.#reservations.set(request, kept)
    }
  }

  #open(quota: Quota, limit: Limit, subject: Subject): Counter {
    const key = keyOf(quota, limit, subject)
    const known = this.#counters.get(key)
    if (known) return known
    const owner = ownerOf(subject)
    const counter: Counter = { level: 0, reserved: 0, atMs: this.#latestMs, owner, limit }
    this.#keep(key, counter)
    return counter
  }

  #keep(key: string, counter: Counter): void {
    this.#counters.set(key, counter)
    const opened = this.#openedBy.get(counter.owner)
    if (opened) opened.add(key)
    else this.#openedBy.set(counter.owner, new Set([key]))
  }

  #raise(counter: Counter, weighted: number): void {
    counter.level = Math.min(this.#levelOf(counter) + weighted, exactMax)
    counter.atMs = this.#latestMs
  }

  /** Drops the counters that have run out; whether it happens cannot be seen in any decision. */
  #sweep(keys: Iterable<string> = this.#counters.keys()): void {
    for (const key of keys) {
      const counter = this.#counters.get(key)
      if (!counter || counter.reserved > 0 || this.#levelOf(counter) > 0) continue
      this.#counters.delete(key)
      const opened = this.#openedBy.get(counter.owner)
      opened?.delete(key)
      if (opened?.size === 0) this.#openedBy.delete(counter.owner)
    }
  }

  #hasRoom(owner: string, opening: number): boolean {
    const fits = (): boolean => (this.#openedBy.get(owner)?.size ?? 0) + opening <= countersPerAgentMax
    if (fits()) return true
    this.#sweep(this.#openedBy.get(owner))
    return fits()
  }

  #msToRoom(owner: string): number {
    let soonest = Number.POSITIVE_INFINITY
    for (const key of this.#openedBy.get(owner) ?? []) {
      const counter = this.#counters.get(key)
      if (counter) soonest = Math.min(soonest, Math.ceil((this.#levelOf(counter) + counter.reserved) / counter.limit.drainPerMs))
    }
    return Number.isFinite(soonest) ? soonest : 1000
  }

  #levelOf({ level, atMs, limit }: Counter): number {
    const elapsedMs = this.#latestMs - atMs
    return elapsedMs >= Math.ceil(level / limit.drainPerMs) ? 0 : level - elapsedMs * limit.drainPerMs
  }
}

const sweepEvery = 1024

function unbounded({ id }: Quota, { unit }: Limit): Charge {
  const detail =
    unit === 'cost'
      ? 'This call is counted in cost, and what it can cost is not known: use a model that has a price here, and name the most output tokens.'
      : 'This call is counted in tokens: name the most output tokens that it may use.'
  return { kind: 'exhausted', quota: id, retryAfterMs: undefined, reason: `the ${unit} that the call can use are not bounded`, detail }
}

function tooLarge({ id }: Quota, { unit }: Limit): Charge {
  const detail = 'This call can use more than the quota ever holds: send less, or name fewer output tokens.'
  return { kind: 'exhausted', quota: id, retryAfterMs: undefined, reason: `the ${unit} that the call can use are more than the quota holds`, detail }
}

function ownerOf({ tenant, agent }: Subject): string {
  return `${tenant}/${agent}`
}

/** Of the values only an action can hold any character, and it comes last; a limit with other numbers is another counter. */
function keyOf({ id, per }: Quota, limit: Limit, subject: Subject): string {
  const values = per.map((dimension) => `${dimension}=${subject[dimension].slice(0, actionLengthMax)}`)
  return [limitKey(id, limit), ...values].join('\u0000')
}

function limitKey(id: string, { unit, weight, drainPerMs, capacity }: Limit): string {
  return [id, unit, weight, drainPerMs, capacity].join('\u0000')
}
