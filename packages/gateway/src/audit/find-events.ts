import { factsOf, fits, type EventFilter } from './entry-facts.ts'
import type { LogView } from './log-files.ts'
import { readBackward, type LogRecord } from './reader.ts'

/** Entries with an index from `from` to just below `below`. */
export interface Stretch {
  readonly from?: number
  readonly below?: number
}

/** The entries of the stretch that fit, newest first, at most `limit`; reads them one by one. */
export async function findEvents(view: LogView, filter: EventFilter, limit: number, { from = 0, below }: Stretch = {}): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  if (below !== undefined && below <= from) return found
  for await (const record of readBackward(view, below === undefined ? {} : { index: below - 1 })) {
    if (record.index < from || (filter.since !== undefined && record.event.time < filter.since)) break
    if (fits(factsOf(record.event), filter)) found.push(record)
    if (found.length >= limit) break
  }
  return found
}
