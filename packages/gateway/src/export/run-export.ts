import { setTimeout as wait } from 'node:timers/promises'
import { Fault, type DecisionEvent } from '@sallyport/contract'
import { readEntry } from '@sallyport/contract/log'
import type { LogView } from '../audit/log-files.ts'
import { publishedSize, readRecords } from '../audit/reader.ts'
import { leafAt, readPublished } from '../audit/update-index.ts'
import type { Cursor, CursorStore, Destination } from './destination.ts'
import type { ExportedEntry, Exporter, Format } from './exported-entry.ts'

/** Entries in memory at once, of at most 64 KiB each. */
export const exportBatchEntries = 256
/** Entries that may wait for their confirmation, and for how long, while more follow: what a broken connection sends twice. */
export const unconfirmedEntriesMax = 10_000
export const unconfirmedMsMax = 30_000
/** Between two looks at a log with nothing new. */
const pollMs = 500
/** For what was sent to be confirmed when the export ends; what is not is sent again after the next start. */
const finishMs = 1_000
export const backOffMs = { least: 1_000, most: 60_000 } as const

export interface ExportPorts {
  readonly view: LogView
  readonly destination: Destination
  readonly cursors: CursorStore
  readonly format: Format
  readonly exporter: Exporter
  readonly now: () => number
  /** From 0 to just below 1. */
  readonly random: () => number
  /** Something the operator should know; the export goes on. */
  readonly report: (error: unknown) => void
}

export interface ExportState {
  /** The first entry that is not known to have arrived. */
  readonly next: number
  /** Entries that a checkpoint covers and that are not known to have arrived, and for how long there have been some. */
  readonly lagEntries: number
  readonly lagMs: number
  readonly failures: number
  /** Why the last attempt failed; undefined since one that succeeded. */
  readonly failure: string | undefined
}

/**
 * Sends every entry that a checkpoint covers to one destination, in the order of the log, from where it stopped.
 *
 * At least once: the cursor moves only over what the destination has confirmed, and all behind it is sent again after a fault or a restart. Where the cursor does not
 * fit the log (it was rolled back, put back or replaced), it starts at the first entry: rather everything twice than an entry never.
 */
export class RunningExport {
  readonly #ports: ExportPorts
  #cursor: Cursor = { next: 0, leaf: '' }
  #published = 0
  #behindSince: number | undefined
  #failures = 0
  #failure: string | undefined

  constructor(ports: ExportPorts) {
    this.#ports = ports
  }

  get state(): ExportState {
    const { next } = this.#cursor
    return {
      next,
      lagEntries: Math.max(0, this.#published - next),
      lagMs: this.#behindSince === undefined ? 0 : Math.max(0, this.#ports.now() - this.#behindSince),
      failures: this.#failures,
      failure: this.#failure,
    }
  }

  /** Until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { destination, report, random } = this.#ports
    let last: NodeJS.Timeout | undefined
    const ending = (): void => void (last = setTimeout(() => destination.close(), finishMs))
    signal.addEventListener('abort', ending)
    let inARow = 0
    while (!signal.aborted) {
      const from = this.#cursor.next
      try {
        await this.#attempt(signal)
      } catch (error) {
        destination.close()
        if (signal.aborted) break
        inARow = this.#cursor.next > from ? 1 : inARow + 1
        this.#failures += 1
        const text = error instanceof Error ? error.message : String(error)
        if (text !== this.#failure) report(error)
        this.#failure = text
        const most = Math.min(backOffMs.most, backOffMs.least * 2 ** Math.min(16, inARow - 1))
        await pause(most * (0.5 + random() / 2), signal)
      }
    }
    signal.removeEventListener('abort', ending)
    clearTimeout(last)
    destination.close()
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { destination, now } = this.#ports
    this.#cursor = await this.#fittingCursor()
    let next = this.#cursor.next
    let unconfirmedSince: number | undefined
    let sentAt = now()
    while (!signal.aborted) {
      await this.#look()
      if (this.#published < next) throw new Fault('the log has become shorter', 'not-done')
      if (next < this.#published) {
        const until = Math.min(this.#published, next + exportBatchEntries)
        await destination.send(await this.#messages(next, until))
        next = until
        unconfirmedSince ??= now()
        sentAt = now()
      }
      const isQuiet = next === this.#published && now() - sentAt >= destination.confirmAfterMs
      const isDue = unconfirmedSince !== undefined && (now() - unconfirmedSince >= unconfirmedMsMax || next - this.#cursor.next >= unconfirmedEntriesMax)
      if (next > this.#cursor.next && (isQuiet || isDue)) {
        await this.#confirm(next)
        unconfirmedSince = undefined
      }
      if (this.#cursor.next === this.#published) this.#isBehindNoMore()
      if (next >= this.#published) await pause(pollMs, signal)
    }
    if (next > this.#cursor.next) await this.#confirm(next)
  }

  async #confirm(next: number): Promise<void> {
    const { view, destination, cursors } = this.#ports
    await destination.confirm()
    const moved = { next, leaf: Buffer.from(await leafAt(view, next - 1, this.#published)).toString('base64url') }
    await cursors.keep(moved)
    this.#cursor = moved
    this.#failure = undefined
  }

  #isBehindNoMore(): void {
    this.#behindSince = undefined
    this.#failure = undefined
  }

  async #fittingCursor(): Promise<Cursor> {
    const { view, cursors, report } = this.#ports
    const cursor = await cursors.read()
    await this.#look()
    if (!cursor || cursor.next === 0) return { next: 0, leaf: '' }
    const isOwn = cursor.next <= this.#published && Buffer.from(await leafAt(view, cursor.next - 1, this.#published)).toString('base64url') === cursor.leaf
    if (isOwn) return cursor
    report(
      new Fault(
        `the cursor is at entry ${cursor.next} of another log than this one, which has ${this.#published}: the export starts at the first entry`,
        'not-done',
      ),
    )
    return { next: 0, leaf: '' }
  }

  async #look(): Promise<void> {
    const { view, now } = this.#ports
    this.#published = await publishedSize(view)
    if (this.#published > this.#cursor.next) this.#behindSince ??= now()
  }

  async #messages(from: number, until: number): Promise<readonly string[]> {
    const { view, format, exporter } = this.#ports
    const entries = (await readPublished(view, from, until, this.#published)).map((bytes, at) => readExported(from + at, bytes))
    const decisions = await this.#decisionsOf(entries)
    return entries.map((entry) => format({ ...entry, decision: entry.event?.type === 'outcome' ? decisions.get(entry.event.decision) : undefined }, exporter))
  }

  /** What is not to be found, or no decision, is left out: an outcome is exported all the same. */
  async #decisionsOf(entries: readonly ExportedEntry[]): Promise<ReadonlyMap<number, DecisionEvent>> {
    const known = new Map(entries.flatMap(({ index, event }) => (event?.type === 'decision' ? [[index, event] as const] : [])))
    const asked = entries.flatMap(({ index, event }) =>
      event?.type === 'outcome' && event.decision < index && !known.has(event.decision) ? [event.decision] : [],
    )
    for await (const { index, event } of readRecords(
      this.#ports.view,
      [...new Set(asked)].sort((one, two) => one - two),
      'skip',
    )) {
      if (event.type === 'decision') known.set(index, event)
    }
    return known
  }
}

function readExported(index: number, bytes: Uint8Array): ExportedEntry {
  const read = readEntry(bytes)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  return { index, text: read.kind === 'flawed' ? undefined : text, event: read.kind === 'event' ? read.event : undefined, decision: undefined }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
