import { Fault } from '@sallyport/contract'
import { factsOf, fits, type EventFilter } from './entry-facts.ts'
import { findEvents } from './find-events.ts'
import type { LogView } from './log-files.ts'
import type { LogIndex } from './log-index.ts'
import { firstIndexAt, indexPast, publishedSize, readRecords, type LogRecord } from './reader.ts'
import { belongsTo } from './update-index.ts'

/** Candidates that are read at once. */
const candidatesAtOnce = 1024

export interface Page {
  readonly limit: number
  /** Only entries with a lower index. */
  readonly below?: number
}

export interface Searched {
  /** Newest first. */
  readonly found: readonly LogRecord[]
  /** `none`: there is no index, or it is of another log, and the whole log was read. */
  readonly index: 'used' | 'none'
}

/**
 * The newest entries that fit. What an index does not cover yet is read from the log, and every hit of the index too: what it says is only where to look.
 *
 * @throws Fault
 */
export async function searchLog(view: LogView, index: LogIndex | undefined, filter: EventFilter, page: Page): Promise<Searched> {
  const { limit } = page
  const { since, until } = filter
  const from = since === undefined ? 0 : await firstIndexAt(view, since)
  // What the journal holds is younger than what is published, so the bound by time says nothing of it when all that is published is old enough.
  const past = until === undefined ? undefined : await indexPast(view, until)
  const below = [page.below, past !== undefined && past < (await publishedSize(view)) ? past : undefined].filter((bound) => bound !== undefined)
  const bound = below.length > 0 ? { below: Math.min(...below) } : {}
  if (!index || !(await belongsTo(view, index))) return { found: await findEvents(view, filter, limit, { from, ...bound }), index: 'none' }
  const { size } = await index.state()
  const found = await findEvents(view, filter, limit, { from: Math.max(from, size), ...bound })
  let next = Math.min(size, ...below)
  while (found.length < limit && next > from) {
    const candidates = await index.candidates(filter, { from, below: next }, Math.min(candidatesAtOnce, limit - found.length))
    if ((await index.state()).size < size) throw new Fault('the index was made anew while it was searched: search again', 'not-done')
    if (candidates.length === 0) break
    for await (const record of readRecords(view, candidates)) {
      if (fits(factsOf(record.event), filter)) found.push(record)
    }
    next = Math.min(...candidates)
  }
  return { found, index: 'used' }
}
