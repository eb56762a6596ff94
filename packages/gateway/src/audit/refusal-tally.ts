import type { RefusalEvent } from '@sallyport/contract'
import { entryTime } from './entries.ts'

/** Refusals of one kind written singly in one window, before the rest become a count. */
export const refusalsWrittenSinglyMax = 3
export const refusalWindowMs = 60_000
/** Kinds (caller and code) remembered at once; past it, refusals of new kinds are counted together. */
export const refusalKindsMax = 10_000

export interface RefusalSeen {
  readonly caller: RefusalEvent['caller']
  readonly code: string
  readonly reason: string
  readonly request: string
}

interface Tally {
  readonly caller: RefusalEvent['caller']
  readonly code: string
  readonly windowEndsAt: number
  written: number
  counted: number
}

/**
 * Decides which refusals become entries of their own and which only a count, so that a flood of equal refusals buys neither disk nor the ledger's time.
 *
 * Every refusal is accounted for: written singly or in a count that `closeWindows` gives back.
 */
export class RefusalTally {
  readonly #tallies = new Map<string, Tally>()

  /** The entry to write now, or undefined when the refusal was counted. */
  take(seen: RefusalSeen, now: number): RefusalEvent | undefined {
    const tally = this.#tallyFor(seen, now)
    if (tally.written >= refusalsWrittenSinglyMax) {
      tally.counted += 1
      return undefined
    }
    tally.written += 1
    return {
      v: 1,
      type: 'refusal',
      time: entryTime(now),
      caller: seen.caller,
      code: seen.code,
      reason: seen.reason.slice(0, 1024).toWellFormed(),
      request: seen.request,
      count: 1,
    }
  }

  /** Ends the windows that are over (all of them with `now` at infinity) and gives the counts to write. */
  closeWindows(now: number, time: number = now): RefusalEvent[] {
    const counts: RefusalEvent[] = []
    for (const [key, tally] of this.#tallies) {
      if (tally.windowEndsAt > now) continue
      this.#tallies.delete(key)
      if (tally.counted > 0) {
        counts.push({ v: 1, type: 'refusal', time: entryTime(time), caller: tally.caller, code: tally.code, reason: 'repeated', count: tally.counted })
      }
    }
    return counts
  }

  #tallyFor(seen: RefusalSeen, now: number): Tally {
    const kind = `${seen.caller.certificate} ${seen.code}`
    const found = this.#tallies.get(kind)
    if (found) return found
    const isFull = this.#tallies.size >= refusalKindsMax
    const key = isFull ? 'others' : kind
    const others = this.#tallies.get(key)
    if (others) return others
    const tally: Tally = {
      caller: isFull ? { certificate: 'others' } : seen.caller,
      code: seen.code,
      windowEndsAt: now + refusalWindowMs,
      written: isFull ? refusalsWrittenSinglyMax : 0,
      counted: 0,
    }
    this.#tallies.set(key, tally)
    return tally
  }
}
