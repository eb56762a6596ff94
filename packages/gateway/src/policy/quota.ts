import { durationMs, type QuotaConfiguration } from '@sallyport/contract'
import { compileMatch, dimensions, matchesSubject, type Dimension, type Match, type Subject } from './match.ts'

/** A quota, ready to be charged. */
export interface Quota {
  readonly id: string
  /** Absent: it counts everything that leaves the gateway, the bookkeeping of protocols included. */
  readonly match: Match | undefined
  readonly per: readonly Dimension[]
  /** What one request adds to a level, in units of which `drainPerMs` leak away each millisecond. */
  readonly cost: number
  readonly drainPerMs: number
  readonly capacity: number
}

/** Levels are whole numbers below this, so that no sum is ever rounded. */
const exactMax = Number.MAX_SAFE_INTEGER / 4

/** Refuses, with a sentence, a quota whose numbers are too fine to be counted exactly. */
export function compileQuota(
  configuration: QuotaConfiguration,
): { readonly kind: 'invalid'; readonly message: string } | { readonly kind: 'compiled'; readonly quota: Quota } {
  const { id, match, per, requests, burst = requests } = configuration
  const windowMs = durationMs(configuration.window)
  const divisor = greatestCommonDivisor(requests, windowMs)
  const cost = windowMs / divisor
  const drainPerMs = requests / divisor
  const capacity = burst * cost
  if (capacity > exactMax || cost + drainPerMs > exactMax)
    return { kind: 'invalid', message: `${requests} requests in ${configuration.window} are too fine to be counted exactly` }
  // Always per tenant: names of agents are unique only there, and no tenant's use may take from another's.
  const counted = dimensions.filter((dimension) => dimension === 'tenant' || per.includes(dimension))
  return { kind: 'compiled', quota: { id, match: match && compileMatch(match), per: counted, cost, drainPerMs, capacity } }
}

export function countsSubject(quota: Quota, subject: Subject, standing: 'call' | 'protocol'): boolean {
  return quota.match ? standing === 'call' && matchesSubject(quota.match, subject) : true
}

/** Most counters that one agent can have opened and not let run out; past it, its calls are refused until some do. */
export const countersPerAgentMax = 4096

/** Longest part of an action's name that tells counters apart. */
const actionLengthMax = 512

interface Counter {
  level: number
  atMs: number
  /** Whom the counter is booked to: whoever opened it. */
  readonly owner: string
  readonly quota: Quota
}

export type Charge =
  | { readonly kind: 'exhausted'; readonly quota: string; readonly retryAfterMs: number; readonly reason: string }
  | { readonly kind: 'charged'; readonly quotas: readonly string[] }

/**
 * What is used of every quota: the generic cell rate algorithm in its leaky-bucket form. A counter rises by `cost` with each request, drains with time, and
 * never rises past `capacity`; so from empty at most `burst` requests pass at once, and over any stretch of time at most `burst` plus what drained meanwhile.
 * All arithmetic is on whole numbers: nothing is ever rounded in anyone's favour. A clock that steps back stands still here until it has caught up.
 *
 * Memory: a counter exists only while it is above empty, or until the next sweep. It takes about 300 bytes, and an agent can hold at most
 * `countersPerAgentMax`; a counter in use is never dropped to make room, since forgetting use would hand out more than the quota.
 *
 * @see ITU-T I.371 Annex A (the two forms of the generic cell rate algorithm)
 */
export class QuotaCounters {
  readonly #counters = new Map<string, Counter>()
  readonly #openedBy = new Map<string, Set<string>>()
  #latestMs = 0
  #chargesSinceSweep = 0

  /** Counters held, those included that have run out since the last sweep. */
  get size(): number {
    return this.#counters.size
  }

  /** Lets time pass; it never goes back. */
  advance(nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs)
  }

  /** Charges every one of the quotas or none. */
  charge(quotas: readonly Quota[], subject: Subject, nowMs: number): Charge {
    const [first] = quotas
    if (!first) return { kind: 'charged', quotas: [] }
    this.advance(nowMs)
    const behindMs = this.#latestMs - nowMs
    let opening = 0
    for (const quota of quotas) {
      const counter = this.#counters.get(keyOf(quota, subject))
      if (!counter) opening += 1
      const excess = (counter ? this.#levelOf(counter) : 0) + quota.cost - quota.capacity
      if (excess > 0) return { kind: 'exhausted', quota: quota.id, retryAfterMs: Math.ceil(excess / quota.drainPerMs) + behindMs, reason: 'used up' }
    }
    if (opening > 0 && !this.#hasRoom(ownerOf(subject), opening)) {
      return {
        kind: 'exhausted',
        quota: first.id,
        retryAfterMs: this.#msToRoom(ownerOf(subject)) + behindMs,
        reason: `the agent uses ${countersPerAgentMax} counters`,
      }
    }
    this.add(quotas, subject, nowMs)
    return { kind: 'charged', quotas: quotas.map(({ id }) => id) }
  }

  /** Charges without asking: for replaying what was permitted before. */
  add(quotas: readonly Quota[], subject: Subject, nowMs: number): void {
    this.advance(nowMs)
    for (const quota of quotas) {
      const key = keyOf(quota, subject)
      const counter = this.#counters.get(key)
      if (counter) {
        counter.level = Math.min(this.#levelOf(counter) + quota.cost, exactMax)
        counter.atMs = this.#latestMs
      } else {
        const owner = ownerOf(subject)
        this.#counters.set(key, { level: quota.cost, atMs: this.#latestMs, owner, quota })
        const opened = this.#openedBy.get(owner)
        if (opened) opened.add(key)
        else this.#openedBy.set(owner, new Set([key]))
      }
    }
    this.#chargesSinceSweep += 1
    // As often as it costs nothing on average.
    if (this.#chargesSinceSweep > Math.max(sweepEvery, this.#counters.size)) {
      this.#chargesSinceSweep = 0
      this.#sweep()
    }
  }

  /** Drops the counters that have run out; whether it happens cannot be seen in any decision. */
  #sweep(keys: Iterable<string> = this.#counters.keys()): void {
    for (const key of keys) {
      const counter = this.#counters.get(key)
      if (!counter || this.#levelOf(counter) > 0) continue
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
      if (counter) soonest = Math.min(soonest, Math.ceil(this.#levelOf(counter) / counter.quota.drainPerMs))
    }
    return Number.isFinite(soonest) ? soonest : 1000
  }

  #levelOf({ level, atMs, quota }: Counter): number {
    const elapsedMs = this.#latestMs - atMs
    return elapsedMs >= Math.ceil(level / quota.drainPerMs) ? 0 : level - elapsedMs * quota.drainPerMs
  }
}

const sweepEvery = 1024

function ownerOf({ tenant, agent }: Subject): string {
  return `${tenant}/${agent}`
}

/** Of the values only an action can hold any character, and it comes last; a quota with other numbers is another counter. */
function keyOf({ id, cost, drainPerMs, capacity, per }: Quota, subject: Subject): string {
  const values = per.map((dimension) => `${dimension}=${subject[dimension].slice(0, actionLengthMax)}`)
  return [id, cost, drainPerMs, capacity, ...values].join('\u0000')
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other)
}
