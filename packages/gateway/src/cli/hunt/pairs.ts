import { Fault } from '@sallyport/contract'
import { factsOf, fits, type EntryFacts, type EventFilter, type searchedNames, type searchedReferences } from '../../audit/entry-facts.ts'
import type { LogIndex } from '../../audit/log-index.ts'
import type { LogView } from '../../audit/log-files.ts'
import { readForward } from '../../audit/reader.ts'
import { searchLog } from '../../audit/search-log.ts'
import { isoTime } from '../table.ts'
import type { Span } from './foreign-log.ts'
import { findUnmatched, type Occurrence } from './unmatched.ts'

/** Entries of each side that are compared at once. */
export const entriesOfSideMax = 1_000_000
/** Whole entries in memory at once. */
const pageEntries = 10_000
const lastMoment = Date.parse('9999-12-31T23:59:59.999Z')

/** A without B within a time. */
export interface PairTerms {
  readonly first: EventFilter
  readonly without: EventFilter
  /** What both must have in common. */
  readonly same: readonly ((typeof searchedNames)[number] | (typeof searchedReferences)[number])[]
  readonly withinMs: number
  /** On which side of the first one the second one belongs. */
  readonly side: 'after' | 'before'
}

/** An entry without a counterpart of its own. `used`: there was one, and another entry had it; `nameless`: it does not name what both must have in common. */
export interface LoneEntry {
  readonly index: number
  readonly time: string
  readonly same: readonly string[]
  readonly why: 'none' | 'used' | 'nameless'
}

/** What a hunt for lone entries found; the shape of `--json`. */
export interface PairHunt {
  /** Entries that a counterpart was looked for. */
  readonly firsts: number
  /** Of these, those without one whose time is not over yet. */
  readonly open: number
  readonly found: readonly LoneEntry[]
}

/**
 * The entries of a time that have no counterpart of their own: one counterpart stands for one entry.
 *
 * @param index where to look; without it every entry of the time is read
 * @throws Fault also when more than `entriesOfSideMax` fit
 */
export async function huntPairs(view: LogView, index: LogIndex | undefined, terms: PairTerms, { from, to }: Span, nowMs: number): Promise<PairHunt> {
  const { first, without, same, withinMs, side } = terms
  // With time turned round, what comes after is what came before.
  const direction = side === 'before' ? 1 : -1
  const firsts: (Occurrence & { readonly index: number })[] = []
  const seconds: Occurrence[] = []
  const nameless: LoneEntry[] = []
  let areAlike = false
  const wide = side === 'before' ? { from: from - withinMs, to } : { from, to: to + withinMs }
  for await (const { index: number, facts } of entriesOf(view, index, terms, wide)) {
    const ms = Date.parse(facts.time)
    const names = same.flatMap((name) => facts[name] ?? [])
    const isFirst = ms >= from && ms <= to && fits(facts, first)
    const isSecond = fits(facts, without)
    if (names.length < same.length) {
      if (isFirst) nameless.push({ index: number, time: facts.time, same: names, why: 'nameless' })
      continue
    }
    const occurrence = { at: ms * direction, key: JSON.stringify(names) }
    if (isSecond) seconds.push(occurrence)
    if (isFirst) firsts.push({ ...occurrence, index: number })
    areAlike ||= isFirst && isSecond
    if (Math.max(firsts.length, seconds.length, nameless.length) > entriesOfSideMax)
      throw new Fault(`more than ${entriesOfSideMax} entries fit: hunt in a shorter time, with --from and --to`, 'not-done')
  }
  // No entry is a counterpart of itself.
  const unmatched = findUnmatched(firsts, seconds, { within: withinMs, skew: areAlike ? -1 : 0 })
  const isOpen = ({ effect: { at } }: (typeof unmatched)[number]): boolean => side === 'after' && at * direction + withinMs >= nowMs
  const lone = unmatched
    .filter((one) => !isOpen(one))
    .map(({ effect: { at, key, index: number }, why }): LoneEntry => ({ index: number, time: isoTime(at * direction), same: JSON.parse(key), why }))
  return {
    firsts: firsts.length + nameless.length,
    open: unmatched.length - lone.length,
    found: [...lone, ...nameless].sort((one, other) => one.index - other.index),
  }
}

async function* entriesOf(
  view: LogView,
  index: LogIndex | undefined,
  { first, without }: PairTerms,
  span: Span,
): AsyncGenerator<{ readonly index: number; readonly facts: EntryFacts }> {
  const time = { since: isoTime(Math.max(0, span.from)), until: isoTime(Math.min(lastMoment, span.to)) }
  if (!index) {
    for await (const { index: number, event } of readForward(view, { time: time.since })) {
      if (event.time > time.until) return
      yield { index: number, facts: factsOf(event) }
    }
    return
  }
  const seen = new Set<number>()
  for (const filter of [first, without]) {
    let below: number | undefined
    do {
      const { found } = await searchLog(view, index, { ...filter, ...time }, { limit: pageEntries, ...(below !== undefined && { below }) })
      for (const { index: number, event } of found) {
        if (!seen.has(number)) yield { index: number, facts: factsOf(event) }
        seen.add(number)
      }
      below = found.length < pageEntries ? undefined : found.at(-1)?.index
    } while (below !== undefined)
  }
}
