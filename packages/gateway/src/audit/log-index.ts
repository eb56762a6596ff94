import type { EntryFacts, EventFilter } from './entry-facts.ts'

/** Of which log, and how far. */
export interface IndexState {
  /** Entries from the first one on that it covers. */
  readonly size: number
  /** Hashes of the first and the last of them as leaves; undefined while there are none. */
  readonly ends: { readonly first: Uint8Array; readonly last: Uint8Array } | undefined
}

export interface IndexBatch {
  readonly facts: readonly EntryFacts[]
  readonly ends: { readonly first: Uint8Array; readonly last: Uint8Array }
}

/**
 * Where entries may stand that a search asks for. Proves nothing: whoever uses it reads each entry again from the log. Every verb throws `Fault`.
 */
export interface LogIndex extends Disposable {
  state(): Promise<IndexState>
  /** Adds the entries from `from` on, all or none; false, and nothing added, when it does not end there (another process may have added them). */
  add(from: number, batch: IndexBatch): Promise<boolean>
  /** Forgets everything. */
  clear(): Promise<void>
  /**
   * Indexes from `from` to just below `below` of entries that may fit, newest first, at most `limit`. Leaves out none that fits; some may not fit, since hashes
   * stand for long texts, and the time is not looked at.
   */
  candidates(filter: EventFilter, stretch: { readonly from: number; readonly below: number }, limit: number): Promise<readonly number[]>
}
