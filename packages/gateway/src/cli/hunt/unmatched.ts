/** Something that a log says happened, as far as a hunt compares it. */
export interface Occurrence {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** What must be the same for one to belong to another, such as the session. */
  readonly key: string
}

/** How far a cause may lie from its effect, in milliseconds. */
export interface Tolerance {
  /** Before it. */
  readonly within: number
  /** After it, by clocks that differ. */
  readonly skew: number
}

/** An effect without a cause of its own. `used`: there was one, and an earlier effect had it. */
export interface Unmatched<Effect extends Occurrence> {
  readonly effect: Effect
  readonly why: 'none' | 'used'
}

/**
 * The effects that no cause of the same key explains, in order of time: A without B within a time.
 *
 * A cause explains one effect. Each effect, in order of time, takes the oldest free cause, so that as many as possible find one; whoever is left has none in any way
 * of giving them out.
 */
export function findUnmatched<Effect extends Occurrence>(
  effects: readonly Effect[],
  causes: readonly Occurrence[],
  { within, skew }: Tolerance,
): readonly Unmatched<Effect>[] {
  const free = Map.groupBy(causes.toSorted(byTime), ({ key }) => key)
  const next = new Map<string, number>()
  return effects.toSorted(byTime).flatMap((effect): readonly Unmatched<Effect>[] => {
    const known = free.get(effect.key) ?? []
    let index = next.get(effect.key) ?? 0
    while ((known[index]?.at ?? Number.POSITIVE_INFINITY) < effect.at - within) index += 1
    const cause = known[index]
    const isFound = cause !== undefined && cause.at <= effect.at + skew
    next.set(effect.key, isFound ? index + 1 : index)
    if (isFound) return []
    const before = known[index - 1]
    return [{ effect, why: before !== undefined && before.at >= effect.at - within ? 'used' : 'none' }]
  })
}

function byTime(one: Occurrence, other: Occurrence): number {
  return one.at - other.at
}
