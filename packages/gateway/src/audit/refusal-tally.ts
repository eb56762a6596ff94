import type { RefusalEvent } from '@sallyport/contract'
import { clip, entryTime } from './entries.ts'

export const refusalWindowMs = 60_000
/** Kinds (caller, upstream and code) remembered at once; past it, refusals of new kinds are counted together. */
export const refusalKindsMax = 10_000

/** A kind of refusal. */
export interface RefusalKind {
  readonly caller: RefusalEvent['caller']
  readonly upstream?: string
  readonly code: string
}

export interface RefusalSeen extends RefusalKind {
  readonly reason: string
  readonly request: string
}

interface Tally {
  readonly kind: RefusalKind
  readonly windowEndsAt: number
  singles: number
  counted: number
}

/**
 * Decides which refusals get entries of their own and which only a count, so that a flood of equal refusals buys neither disk nor the ledger's time.
 *
 * Every refusal is accounted for: singly or in a count that `closeWindows` gives back. The clock given must not run backwards.
 */
export class RefusalTally {
  readonly #singlesMax: number
  /** In the order in which their windows end. */
  readonly #tallies = new Map<string, Tally>()

  /** @param singlesMax refusals of one kind in one window that get entries of their own */
  constructor(singlesMax: number) {
    this.#singlesMax = singlesMax
  }

  /** False when the refusal was counted instead. */
  isSingle(kind: RefusalKind, now: number): boolean {
    const tally = this.#tallyFor(kind, now)
    if (tally.singles >= this.#singlesMax) {
      tally.counted += 1
      return false
    }
    tally.singles += 1
    return true
  }

  /** Ends the windows that are over (all of them with `now` at infinity) and gives the counts to write. */
  closeWindows(now: number, time: number = now): RefusalEvent[] {
    const counts: RefusalEvent[] = []
    for (const [key, { kind, windowEndsAt, counted }] of this.#tallies) {
      if (windowEndsAt > now) break
      this.#tallies.delete(key)
      if (counted > 0) counts.push({ v: 1, type: 'refusal', time: entryTime(time), ...kind, reason: 'repeated', count: counted })
    }
    return counts
  }

  #tallyFor(kind: RefusalKind, now: number): Tally {
    const key = `${kind.caller.certificate} ${kind.upstream ?? ''} ${kind.code}`
    const found = this.#tallies.get(key) ?? (this.#tallies.size < refusalKindsMax ? undefined : this.#tallies.get('others'))
    if (found) return found
    const isFull = this.#tallies.size >= refusalKindsMax
    const tally: Tally = {
      kind: isFull ? { caller: { certificate: 'others' }, code: kind.code } : kind,
      windowEndsAt: now + refusalWindowMs,
      singles: isFull ? this.#singlesMax : 0,
      counted: 0,
    }
    this.#tallies.set(isFull ? 'others' : key, tally)
    return tally
  }
}

export function refusalEntry({ caller, upstream, code, reason, request }: RefusalSeen, now: number): RefusalEvent {
  return { v: 1, type: 'refusal', time: entryTime(now), caller, ...(upstream !== undefined && { upstream }), code, reason: clip(reason), request, count: 1 }
}
