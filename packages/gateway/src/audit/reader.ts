import { Fault, unreachable, type LogEvent } from '@sallyport/contract'
import { bundlePath, bundleWidth, decodeBundle, readEntry, readTileFile, tileWidth } from '@sallyport/contract/log'
import { readJournal, type JournalEntry } from './journal.ts'
import type { LogView } from './log-files.ts'

export interface LogRecord {
  readonly index: number
  readonly event: LogEvent
}

/** Where to start; with neither, at the first entry (forward) or the newest (backward). */
export interface ReadFrom {
  readonly index?: number
  /** ISO 8601 with milliseconds, UTC, as in the entries: the first entry that is not older. */
  readonly time?: string
}

/** Times a reader starts over because the files it listed were replaced while it read. */
const restartsMax = 10

/**
 * The entries from a place on, in log order, up to the newest durable one at the moment the end is reached; the journal's entries that no checkpoint covers
 * yet are among them. Verifies nothing: `verifyFolder` does. Safe while a gateway writes.
 *
 * @throws Fault when an entry cannot be read.
 */
export async function* readForward(view: LogView, from: ReadFrom = {}): AsyncGenerator<LogRecord> {
  let index = from.index ?? (from.time === undefined ? 0 : await firstIndexAt(view, from.time))
  const published = await publishedSize(view)
  while (index < published) {
    const bundle = Math.floor(index / tileWidth)
    const entries = await readBundle(view, bundle, published)
    for (const entry of entries.slice(index - bundle * tileWidth)) {
      const record = { index, event: eventOf(index, entry) }
      index += 1
      if (isFrom(record, from)) yield record
    }
  }
  for (const { index: at, bytes } of await readTail(view, index)) {
    const record = { index: at, event: eventOf(at, bytes) }
    if (isFrom(record, from)) yield record
  }
}

/** The entries from the newest durable one (or the one at `index`) backwards. */
export async function* readBackward(view: LogView, from: Pick<ReadFrom, 'index'> = {}): AsyncGenerator<LogRecord> {
  const published = await publishedSize(view)
  const tail = await readTail(view, published)
  for (const { index, bytes } of tail.reverse()) {
    if (index <= (from.index ?? index)) yield { index, event: eventOf(index, bytes) }
  }
  let index = Math.min(published - 1, from.index ?? published - 1)
  while (index >= 0) {
    const bundle = Math.floor(index / tileWidth)
    const entries = await readBundle(view, bundle, published)
    for (; index >= bundle * tileWidth; index -= 1) {
      const entry = entries[index - bundle * tileWidth]
      if (entry) yield { index, event: eventOf(index, entry) }
    }
  }
}

/** New entries from `index` on as they become durable, until the signal. `pause` waits between two looks; it may return early. */
export async function* followLog(view: LogView, index: number, pause: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): AsyncGenerator<LogRecord> {
  let next = index
  while (!signal.aborted) {
    for await (const record of readForward(view, { index: next })) {
      next = record.index + 1
      yield record
    }
    await pause(signal)
  }
}

/** Entries in the log now, the journal's included. */
export async function logSize(view: LogView): Promise<number> {
  const published = await publishedSize(view)
  const last = (await readTail(view, published)).at(-1)
  return last ? last.index + 1 : published
}

/** The entry at an index, or undefined past the end. */
export async function readRecord(view: LogView, index: number): Promise<LogRecord | undefined> {
  for await (const record of readForward(view, { index })) return record
  return undefined
}

/** Entries that the log's checkpoint covers. @throws Fault when it cannot be read */
export async function publishedSize(view: LogView): Promise<number> {
  const text = await view.checkpoint()
  if (text === undefined) return 0
  const size = text.split('\n')[1] ?? ''
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) throw new Fault('the checkpoint of the log says no size', 'not-done')
  return Number(size)
}

/**
 * The published entries at these indexes, in the order given; neighbours are cheap.
 *
 * @param unreadable what happens to an entry that this version cannot read
 * @throws Fault when one is past the end
 */
export async function* readRecords(view: LogView, indexes: readonly number[], unreadable: 'throw' | 'skip' = 'throw'): AsyncGenerator<LogRecord> {
  const published = await publishedSize(view)
  let held: { readonly bundle: number; readonly entries: readonly Uint8Array[] } | undefined
  for (const index of indexes) {
    const bundle = Math.floor(index / tileWidth)
    if (held?.bundle !== bundle) held = { bundle, entries: await readBundle(view, bundle, published) }
    const entry = held.entries[index - bundle * tileWidth]
    if (!entry) throw new Fault(`entry ${index} of the log is missing`, 'not-done')
    if (unreadable === 'throw' || readEntry(entry).kind === 'event') yield { index, event: eventOf(index, entry) }
  }
}

/** The entries of a bundle, as far as they belong to a log of `size`. @throws Fault when one is missing. */
export async function readBundle(view: LogView, index: number, size: number): Promise<Uint8Array[]> {
  const width = bundleWidth(index, size)
  const file = await readTileFile(view, (some) => bundlePath(index, some), width)
  const entries = file ? decodeBundle(file, width) : []
  if (entries.length < width) throw new Fault(`entry ${index * tileWidth + entries.length} of the log is missing`, 'not-done')
  return entries
}

/** The journal's entries from `index` on. Segments vanish when their entries were published; then the published bundles hold what is asked for. */
async function readTail(view: LogView, index: number): Promise<JournalEntry[]> {
  for (let restarts = 0; restarts < restartsMax; restarts += 1) {
    const tail = await readTailOnce(view, index)
    if (tail) return tail
    const published = await publishedSize(view)
    const entries = await readPublished(view, index, published)
    const rest = await readTailOnce(view, published)
    if (rest) return [...entries, ...rest]
  }
  throw new Fault('the log changes faster than it can be read', 'not-done')
}

/** Undefined when a segment vanished meanwhile. */
async function readTailOnce(view: LogView, index: number): Promise<JournalEntry[] | undefined> {
  const segments = await view.segments()
  const tail: JournalEntry[] = []
  let next = index
  for (const [at, segment] of segments.entries()) {
    const following = segments[at + 1]
    if (following && following.firstIndex <= index) continue
    if (segment.firstIndex > next) return undefined
    const bytes = await view.readSegment(segment)
    if (!bytes) return undefined
    for (const entry of readJournal(bytes, segment.firstIndex).entries) {
      if (entry.index !== next) continue
      tail.push(entry)
      next += 1
    }
  }
  return tail
}

async function readPublished(view: LogView, from: number, size: number): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  for (let bundle = Math.floor(from / tileWidth); bundle * tileWidth < size; bundle += 1) {
    for (const [at, bytes] of (await readBundle(view, bundle, size)).entries()) {
      const index = bundle * tileWidth + at
      if (index >= from) entries.push({ index, bytes })
    }
  }
  return entries
}

/** The first index whose bundle may hold entries of that time or younger. @throws Fault */
export async function firstIndexAt(view: LogView, time: string): Promise<number> {
  return Math.max(0, (await firstBundle(view, (first) => first >= time)) - 1) * tileWidth
}

/** An index from which on every published entry is younger; at most a bundle more than needed lies below it. @throws Fault */
export async function indexPast(view: LogView, time: string): Promise<number> {
  return (await firstBundle(view, (first) => first > time)) * tileWidth
}

/** The first bundle whose first entry is of such a time, by halving, since time never runs backwards; past the last one where there is none. */
async function firstBundle(view: LogView, isSuch: (time: string) => boolean): Promise<number> {
  const published = await publishedSize(view)
  let low = 0
  let high = Math.ceil(published / tileWidth)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [entry] = await readBundle(view, middle, published)
    if (entry && !isSuch(eventOf(middle * tileWidth, entry).time)) low = middle + 1
    else high = middle
  }
  return low
}

function isFrom(record: LogRecord, from: ReadFrom): boolean {
  return from.time === undefined || record.event.time >= from.time
}

function eventOf(index: number, bytes: Uint8Array): LogEvent {
  const read = readEntry(bytes)
  switch (read.kind) {
    case 'flawed':
      throw new Fault(`entry ${index} of the log cannot be read: ${read.reason}`, 'not-done')
    case 'newer':
      throw new Fault(`entry ${index} of the log was written by a newer version`, 'not-done')
    case 'event':
      return read.event
    default:
      return unreachable(read)
  }
}
