import type { SignalEvent } from '@sallyport/contract'

/** Something odd, and what it is about. */
export type Sighting = Pick<SignalEvent, 'kind' | 'tenant' | 'agent' | 'session' | 'provider'>

/** What operators are told of, once for each kind, window and what it is about. */
export type Signal = Sighting & Pick<SignalEvent, 'count' | 'seconds'>

export const signalWindowMs = 300_000
/** Kinds, with what they are about, that are watched at once; a further one takes the place of the oldest. */
export const watchedMax = 10_000
/** Signals of one window, of all kinds together. */
export const signalsMax = 100

interface Watch {
  readonly sighting: Sighting
  readonly atLeast: number
  readonly endsAtMs: number
  isRaised: boolean
  count: number
}

/**
 * Counts what is seen in windows, each from the first sighting of its kind and of what it is about, and raises a signal when there are enough. What goes on after that is
 * told at the end of the window, by its count: whoever makes much of it makes no more signals.
 *
 * Memory is bounded, and so are the signals of a window. The clock must not run backwards.
 */
export class Detector {
  /** In the order in which their windows end. */
  readonly #watches = new Map<string, Watch>()
  readonly #raise: (signal: Signal) => void
  readonly #leaveOut: (signal: Signal) => void
  #budget = { left: signalsMax, endsAtMs: 0 }

  /** @param leaveOut gets what is past the bound of all signals */
  constructor(raise: (signal: Signal) => void, leaveOut: (signal: Signal) => void) {
    this.#raise = raise
    this.#leaveOut = leaveOut
  }

  /** @param atLeast sightings in one window that make a signal */
  see(sighting: Sighting, atLeast: number, nowMs: number): void {
    this.closeWindows(nowMs)
    const { kind, tenant, agent, session, provider } = sighting
    const key = JSON.stringify([kind, tenant, agent, session, provider])
    const watch = this.#watches.get(key) ?? this.#open(key, { sighting, atLeast, endsAtMs: nowMs + signalWindowMs, isRaised: false, count: 0 })
    watch.count += 1
    if (watch.isRaised || watch.count < atLeast) return
    watch.isRaised = true
    this.#tell(watch, nowMs)
  }

  /** Ends the windows that are over, and tells of what went on in them. */
  closeWindows(nowMs: number): void {
    for (const [key, watch] of this.#watches) {
      if (watch.endsAtMs > nowMs) break
      this.#watches.delete(key)
      if (!watch.isRaised || watch.count < watch.atLeast) continue
      this.#tell(watch, nowMs)
      this.#open(key, { ...watch, endsAtMs: nowMs + signalWindowMs })
    }
  }

  #open(key: string, watch: Watch): Watch {
    const [oldest] = this.#watches.size >= watchedMax ? this.#watches.keys() : []
    if (oldest !== undefined) this.#watches.delete(oldest)
    this.#watches.set(key, watch)
    return watch
  }

  #tell(watch: Watch, nowMs: number): void {
    const signal = { ...watch.sighting, count: watch.count, seconds: signalWindowMs / 1000 }
    watch.count = 0
    if (nowMs >= this.#budget.endsAtMs) this.#budget = { left: signalsMax, endsAtMs: nowMs + signalWindowMs }
    if (this.#budget.left === 0) return this.#leaveOut(signal)
    this.#budget.left -= 1
    this.#raise(signal)
  }
}
