import type { Dimension, Match } from './match.ts'

interface Matching {
  readonly match: Match
}

/**
 * Finds what could match without looking at the rest.
 *
 * Each item is filed under one field that it names literally, the one whose names are shared with the fewest others, or under none when it names none. So
 * `candidates` gives every item that matches, each at most once, in their original order, and leaves out most that do not; the caller still asks `match`.
 */
export class MatchIndex<Item extends Matching> {
  readonly #filed: ReadonlyMap<Dimension, ReadonlyMap<string, readonly Placed<Item>[]>>
  readonly #unfiled: readonly Placed<Item>[]

  constructor(items: readonly Item[], by: readonly Dimension[]) {
    const filed = new Map<Dimension, Map<string, Placed<Item>[]>>(by.map((dimension) => [dimension, new Map()]))
    const unfiled: Placed<Item>[] = []
    const sharers = countNames(items, by)
    for (const [place, item] of items.entries()) {
      const dimension = narrowest(item.match, by, sharers)
      const drawers = dimension && filed.get(dimension)
      if (!dimension || !drawers) {
        unfiled.push({ place, item })
        continue
      }
      for (const name of new Set(item.match[dimension].literals)) {
        const drawer = drawers.get(name)
        if (drawer) drawer.push({ place, item })
        else drawers.set(name, [{ place, item }])
      }
    }
    this.#filed = filed
    this.#unfiled = unfiled
  }

  candidates(subject: Readonly<Partial<Record<Dimension, string>>>): readonly Item[] {
    const found = [...this.#unfiled]
    for (const [dimension, drawers] of this.#filed) {
      const name = subject[dimension]
      const drawer = name === undefined ? undefined : drawers.get(name)
      if (drawer) found.push(...drawer)
    }
    return found.sort((one, other) => one.place - other.place).map(({ item }) => item)
  }
}

interface Placed<Item> {
  readonly place: number
  readonly item: Item
}

function countNames(items: readonly Matching[], by: readonly Dimension[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { match } of items) {
    for (const dimension of by) {
      for (const name of match[dimension].literals ?? []) counts.set(`${dimension} ${name}`, (counts.get(`${dimension} ${name}`) ?? 0) + 1)
    }
  }
  return counts
}

function narrowest(match: Match, by: readonly Dimension[], sharers: ReadonlyMap<string, number>): Dimension | undefined {
  let best: { readonly dimension: Dimension; readonly worst: number } | undefined
  for (const dimension of by) {
    const { literals } = match[dimension]
    if (!literals) continue
    const worst = Math.max(...literals.map((name) => sharers.get(`${dimension} ${name}`) ?? 0))
    if (!best || worst < best.worst) best = { dimension, worst }
  }
  return best?.dimension
}
