/** Requests of logins in a window. */
export const loginRequestsMax = 60
export const loginWindowMs = 60_000

/**
 * Bounds the requests that need no secret: any program of this machine can send them, and what an agent may ask the gateway of itself is bounded too. Its certificate
 * and its session must find room beside them.
 *
 * @returns undefined when there is room, otherwise the seconds until there is again
 */
export function loginLimit(now: () => number): () => number | undefined {
  let startedAt = Number.NEGATIVE_INFINITY
  let taken = 0
  return () => {
    const at = now()
    if (at - startedAt >= loginWindowMs || at < startedAt) {
      startedAt = at
      taken = 0
    }
    if (taken >= loginRequestsMax) return Math.ceil((startedAt + loginWindowMs - at) / 1000)
    taken += 1
    return undefined
  }
}
