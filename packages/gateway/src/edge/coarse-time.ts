/** How often deadlines are looked at. */
export const sweepMs = 200

/**
 * The time of all deadlines on a listener: it advances only when the sweep runs. Asking it costs nothing, a step of the system's clock closes no connection,
 * and time in which our own event loop was stuck is not held against callers.
 */
export class CoarseTime {
  #nowMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  advance(): void {
    this.#nowMs += sweepMs
  }

  /** The sweep at which `ms` have certainly passed. */
  after(ms: number): number {
    return this.#nowMs + ms + sweepMs
  }
}

/** A deadline that is not set. */
export const never = Number.POSITIVE_INFINITY
