/** Refusals of one kind that are told singly in one window. */
export const toldSinglyMax = 5
export const sampleWindowMs = 60_000
/** Kinds told apart in one window; further ones are one kind. */
export const sampledKindsMax = 100

const others = 'others'

/** Which refusals of strangers are told to the operator: the first few of each kind in a window, and of the rest how many there were. */
export class RefusalSample {
  readonly #seen = new Map<string, number>()
  #windowEndsAtMs = 0

  /** Whether to tell this one. Past the first few of its kind it is counted. */
  isTold(kind: string, nowMs: number): boolean {
    if (this.#seen.size === 0) this.#windowEndsAtMs = nowMs + sampleWindowMs
    const known = this.#seen.has(kind) || this.#seen.size < sampledKindsMax ? kind : others
    const seen = (this.#seen.get(known) ?? 0) + 1
    this.#seen.set(known, seen)
    return seen <= toldSinglyMax
  }

  /** When the window is over: how many of each kind were not told. The next window begins with the next refusal. */
  takeCounts(nowMs: number): readonly { readonly kind: string; readonly count: number }[] {
    if (nowMs < this.#windowEndsAtMs) return []
    const counts = [...this.#seen].flatMap(([kind, seen]) => (seen > toldSinglyMax ? [{ kind, count: seen - toldSinglyMax }] : []))
    this.#seen.clear()
    return counts
  }
}
