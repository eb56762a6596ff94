import { canonicalJson, Fault, logEvent, type LogEvent } from '@sallyport/contract'
import { entryBytesMax, type PrunedPart } from '@sallyport/contract/log'
import { BatchWriter, batchBytesMax } from './journal.ts'
import type { KeptCheckpoint, LogFiles } from './log-files.ts'
import type { LogSigner } from './log-key.ts'
import type { Log } from './log.ts'
import type { Publication } from './publication.ts'
import { recoverLog, type Recovered } from './recover.ts'

/** Entries that may wait for the disk at once; past it, `append` refuses. */
export const queueEntriesMax = 16_384
/** A new journal segment is started past this size. */
export const segmentBytesMax = 8 * batchBytesMax
/** Finished tiles and bundles that may wait in memory; past it, appending waits until they are written. */
export const backlogBytesMax = 32 * batchBytesMax
/** Longest time between an entry and a checkpoint over it, while the disk keeps up. */
export const checkpointIntervalMsDefault = 1000

export interface LogOptions {
  readonly checkpointIntervalMs?: number
  readonly queueEntriesMax?: number
  readonly segmentBytesMax?: number
  /** Without it, a log whose whole folder was put back to an older state, or replaced, is taken for what it seems. */
  readonly kept?: KeptCheckpoint
  /** Entries that are kept elsewhere, by the gateway's own record. */
  readonly pruned?: PrunedPart | undefined
  /** The log has just become unavailable; called once. */
  readonly onUnavailable?: (fault: unknown) => void
}

export interface OpenedLog {
  readonly log: Log
  readonly recovered: Recovered
}

/**
 * Recovers the log in `files`, publishes a checkpoint over everything found, and opens it for appending.
 *
 * @throws Fault when the disk fails, or `not-done` when the files contradict the signed checkpoint; the message names the first bad entry. `files` are
 * closed then.
 */
export async function openLog(files: LogFiles, signer: LogSigner, options: LogOptions = {}): Promise<OpenedLog> {
  try {
    const { publication, recovered } = await recoverLog(files, signer, options.kept, options.pruned)
    const segment = { firstIndex: recovered.size }
    await files.startSegment(segment)
    publication.follow(segment)
    await publication.publish()
    return { log: new Sequencer(files, signer, publication, recovered, options), recovered }
  } catch (error) {
    await files.close()
    throw error
  }
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly index: number
  readonly resolve: (index: number) => void
  readonly reject: (fault: Fault) => void
}

/** Group commit: entries that come while the disk is busy share the next write and the next fdatasync. */
class Sequencer implements Log {
  readonly #files: LogFiles
  readonly #publication: Publication
  readonly #options: LogOptions
  readonly #batch: BatchWriter
  #queue: Waiting[] = []
  #size: number
  #lastTime: string
  #segmentBytes = 0
  /** The loop that empties the queue, while there is one. */
  #draining: Promise<void> | undefined
  #publishing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false
  #isClosed = false

  constructor(files: LogFiles, signer: LogSigner, publication: Publication, recovered: Recovered, options: LogOptions) {
    this.#files = files
    this.#batch = new BatchWriter((...parts) => signer.authenticate(...parts))
    this.#publication = publication
    this.#options = options
    this.#size = recovered.size
    this.#lastTime = recovered.lastTime ?? ''
  }

  get size(): number {
    return this.#size
  }

  get isAvailable(): boolean {
    return !this.#hasFailed && !this.#isClosed
  }

  get hasRoom(): boolean {
    return this.#queue.length < (this.#options.queueEntriesMax ?? queueEntriesMax)
  }

  append(event: LogEvent): Promise<number> {
    if (!this.isAvailable) return Promise.reject(new Fault('the log is not available', 'not-done'))
    if (!this.hasRoom) return Promise.reject(new Fault('too many entries wait for the log', 'not-done'))
    // What no reader takes would stop every start of the gateway from then on.
    if (!logEvent.safeParse(event).success) return Promise.reject(new Fault('the event does not fit its schema', 'not-done'))
    // A clock that was set back must not make a log that no verifier accepts.
    const time = event.time < this.#lastTime ? this.#lastTime : event.time
    const bytes = entryBytes(time === event.time ? event : { ...event, time })
    if (!bytes) return Promise.reject(new Fault('the event holds text or numbers that JSON cannot carry', 'not-done'))
    if (bytes.length > entryBytesMax) return Promise.reject(new Fault(`an entry of ${bytes.length} bytes is too large for the log`, 'not-done'))
    this.#lastTime = time
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#queue.push({ bytes, index: this.#size, resolve, reject })
    this.#size += 1
    this.#draining ??= this.#drain()
    return promise
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#draining
      clearTimeout(this.#timer)
      await this.#publishing
      if (!this.#hasFailed) await this.#publication.publish()
    } finally {
      await this.#files.close()
    }
  }

  async #drain(): Promise<void> {
    let written: readonly Waiting[] = []
    let taken: readonly Waiting[] = []
    try {
      for (;;) {
        await nextTurn() // gathers what the other callers of this turn append
        taken = this.#takeBatch()
        const durable = this.#write(taken)
        // Hashing the batch before goes on while the disk writes this one.
        for (const { bytes } of written) this.#publication.add(bytes)
        if (written.length > 0) this.#schedulePublishing()
        written = []
        if (taken.length === 0) break
        await durable
        if (this.#hasFailed) throw new Fault('the log became unavailable meanwhile', 'unknown')
        for (const { resolve, index } of taken) resolve(index)
        written = taken
        taken = []
        while (this.#publication.backlogBytes > backlogBytesMax && !this.#hasFailed) await this.#publish()
      }
      this.#draining = undefined
    } catch (fault) {
      this.#fail(fault, taken)
    }
  }

  /** Moves the head of the queue into the batch. */
  #takeBatch(): readonly Waiting[] {
    let count = 0
    for (const { bytes } of this.#queue) {
      if (!this.#batch.add(bytes)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #write(taken: readonly Waiting[]): Promise<void> {
    const [first] = taken
    if (!first) return
    if (this.#segmentBytes >= (this.#options.segmentBytesMax ?? segmentBytesMax)) {
      const segment = { firstIndex: first.index }
      await this.#files.startSegment(segment)
      this.#publication.follow(segment)
      this.#segmentBytes = 0
      this.#batch.startSegment()
    }
    const bytes = this.#batch.finish(first.index)
    await this.#files.append(bytes)
    this.#segmentBytes += bytes.length
  }

  #schedulePublishing(): void {
    if (this.#timer || this.#publishing || this.#isClosed) return
    this.#timer = setTimeout(() => void this.#publish(), this.#options.checkpointIntervalMs ?? checkpointIntervalMsDefault)
    this.#timer.unref()
  }

  /** Publishes, or waits for the publishing that is under way. Never rejects. */
  #publish(): Promise<void> {
    this.#publishing ??= this.#publishNow()
    return this.#publishing
  }

  async #publishNow(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      await this.#publication.publish()
    } catch (fault) {
      this.#fail(fault, [])
    }
    this.#publishing = undefined
    if (!this.#hasFailed && !this.#publication.isPublished) this.#schedulePublishing()
  }

  /** From here on nothing is acknowledged: what is on the disk is known only after a restart has recovered it. */
  #fail(fault: unknown, taken: readonly Waiting[]): void {
    for (const { reject } of taken) reject(new Fault('the disk failed while the entry was written', 'unknown', fault))
    const neverWritten = this.#queue
    this.#queue = []
    for (const { reject } of neverWritten) reject(new Fault('the log became unavailable before the entry was written', 'not-done', fault))
    if (this.#hasFailed) return
    this.#hasFailed = true
    clearTimeout(this.#timer)
    this.#options.onUnavailable?.(fault)
  }
}

function entryBytes(event: LogEvent): Buffer | undefined {
  try {
    return Buffer.from(canonicalJson(event))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
