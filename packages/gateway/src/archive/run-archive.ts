import { setTimeout as wait } from 'node:timers/promises'
import { Fault, type AdminEvent } from '@sallyport/contract'
import { openCheckpoint, tileWidth, type Checkpoint, type VerifierKey } from '@sallyport/contract/log'
import { copyFiles, type LogFile } from '../audit/copy-log.ts'
import type { LogView } from '../audit/log-files.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { leafAt } from '../audit/update-index.ts'
import type { Cursor, CursorStore } from '../export/destination.ts'
import { archivedCheckpointPath, type ArchiveStore } from './archive-store.ts'

/** Files that are on their way at once. */
const filesAtOnce = 8
/** Bundles after which the cursor moves, where many are due. */
const strideBundles = 64
export const archiveBackOffMs = { least: 1_000, most: 60_000 } as const
/** So long beyond its interval the archive may be behind before the log says so. */
export const archiveBehindMsMax = 15 * 60_000
/** An object that is not ours is an alarm, and is found again at each attempt. */
export const conflictNotedEveryMs = 3_600_000

export interface ArchivePorts {
  readonly view: LogView
  readonly key: VerifierKey
  /** Opens the archive, with the credentials as they are now. @throws Fault */
  readonly open: () => Promise<ArchiveStore>
  /** After each attempt to ask the archive: why it cannot keep anything safe, if it says so. */
  readonly tell: (objection: string | undefined) => void
  readonly cursors: CursorStore
  readonly everyMs: number
  readonly retainMs: number
  readonly now: () => number
  /** From 0 to just below 1. */
  readonly random: () => number
  /** Writes to the log what an auditor must know. */
  readonly note: (act: `archive.${'started' | 'behind' | 'caught-up' | 'conflict'}`, subject: AdminEvent['subject']) => Promise<unknown>
  /** Something the operator should know; the archive goes on. */
  readonly report: (error: unknown) => void
}

export interface ArchiveState {
  /** Entries that are known to be in the archive. */
  readonly size: number
  /** Entries that a checkpoint covers and that are not known to be there, and for how long there have been some. */
  readonly lagEntries: number
  readonly lagMs: number
  readonly failures: number
  /** Why the last attempt failed; undefined since one that succeeded. */
  readonly failure: string | undefined
  /** The object that stands where one of the log belongs: an alarm. */
  readonly conflict: string | undefined
}

/**
 * Keeps the log in an archive where nobody can remove it: full tiles and bundles once, and at each interval the unfinished ones with a checkpoint over them. So the archive is
 * a log of tlog-tiles by itself, without its one changing file: a checkpoint stands under its size.
 *
 * Nothing is kept that does not hash to what the log signed: it could never be taken away again. Nothing is replaced: where another object stands in the place of one of ours, that is
 * an alarm, and the archive goes no further. Killed at any moment, it repeats what it does not know to be there, and finds it there.
 */
export class RunningArchive {
  readonly #ports: ArchivePorts
  #cursor: Cursor = { next: 0, leaf: '' }
  #published = 0
  #cosignedSize = 0
  #behindSince: number | undefined
  #isStarted = false
  #isNotedBehind = false
  #failures = 0
  #failure: string | undefined
  #conflict: string | undefined
  #conflictNotedAt = Number.NEGATIVE_INFINITY

  constructor(ports: ArchivePorts) {
    this.#ports = ports
  }

  get state(): ArchiveState {
    const { next: size } = this.#cursor
    return {
      size,
      lagEntries: Math.max(0, this.#published - size),
      lagMs: this.#behindSince === undefined ? 0 : Math.max(0, this.#ports.now() - this.#behindSince),
      failures: this.#failures,
      failure: this.#failure,
      conflict: this.#conflict,
    }
  }

  /** As `state`, with the log as it is now, also while an attempt hangs. */
  async look(): Promise<ArchiveState> {
    await this.#look().catch(() => undefined) // an attempt meets it too, and tells it
    return this.state
  }

  /** Until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { report, random } = this.#ports
    let inARow = 0
    while (!signal.aborted) {
      const from = this.#cursor.next
      try {
        await this.#attempt(signal)
      } catch (error) {
        if (signal.aborted) break
        inARow = this.#cursor.next > from ? 1 : inARow + 1
        this.#failures += 1
        this.#ports.tell(undefined)
        const text = error instanceof Error ? error.message : String(error)
        if (text !== this.#failure) report(error)
        this.#failure = text
        this.#tellLag()
        const most = Math.min(archiveBackOffMs.most, archiveBackOffMs.least * 2 ** Math.min(16, inARow - 1))
        await pause(most * (0.5 + random() / 2), signal)
      }
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    await this.#look()
    const store = await this.#ports.open()
    const ending = (): void => store.close()
    signal.addEventListener('abort', ending)
    try {
      const objection = await store.objection()
      this.#ports.tell(objection)
      if (objection !== undefined) throw new Fault(objection, 'not-done')
      this.#cursor = await this.#fittingCursor()
      while (!signal.aborted) {
        const lookedAt = this.#ports.now()
        const checkpoint = await this.#look()
        if (checkpoint && checkpoint.size > this.#cursor.next) await this.#ship(store, checkpoint, signal)
        // What a look meanwhile has seen besides came after this one.
        this.#behindSince = this.#published > this.#cursor.next ? lookedAt : undefined
        await this.#shipCosigned(store)
        this.#failure = undefined
        this.#conflict = undefined
        this.#tellLag()
        await pause(this.#ports.everyMs, signal)
      }
    } finally {
      signal.removeEventListener('abort', ending)
      store.close()
    }
  }

  async #ship(store: ArchiveStore, checkpoint: Checkpoint & { readonly text: string }, signal: AbortSignal): Promise<void> {
    const { view } = this.#ports
    const from = this.#cursor.next
    for await (const _ of copyFiles(view, checkpoint, { from })) signal.throwIfAborted()
    let due: LogFile[] = []
    let begun = from - (from % tileWidth)
    for await (const file of copyFiles(view, checkpoint, { from })) {
      due.push(file)
      if (due.length < filesAtOnce) continue
      signal.throwIfAborted()
      await Promise.all(due.map((one) => this.#keep(store, one)))
      begun += tileWidth * due.filter(({ path }) => /^tile\/entries\/[x0-9/]+$/.test(path)).length
      due = []
      // Tiles follow their bundle, and may not be kept yet.
      const whole = begun - tileWidth
      if (whole - this.#cursor.next >= strideBundles * tileWidth) await this.#moveTo(whole, checkpoint.size)
    }
    await Promise.all(due.map((one) => this.#keep(store, one)))
    await this.#keep(store, { path: archivedCheckpointPath('checkpoints', checkpoint.size), bytes: Buffer.from(checkpoint.text) })
    await this.#moveTo(checkpoint.size, checkpoint.size)
  }

  async #shipCosigned(store: ArchiveStore): Promise<void> {
    const text = await this.#ports.view.cosigned?.()
    const cosigned = text === undefined ? undefined : this.#opened(text)
    if (!cosigned || cosigned.size <= this.#cosignedSize || cosigned.size > this.#cursor.next) return
    // One that is there already may bear the cosignatures of others.
    const isOfSize = (found: Uint8Array): boolean => this.#opened(Buffer.from(found).toString('utf8'))?.size === cosigned.size
    await this.#keep(store, { path: archivedCheckpointPath('cosigned', cosigned.size), bytes: Buffer.from(cosigned.text) }, isOfSize)
    this.#cosignedSize = cosigned.size
  }

  /** @throws Fault where something stands in its place that `isSame` says is another object, or that is not locked */
  async #keep(
    store: ArchiveStore,
    { path, bytes }: LogFile,
    isSame: (found: Uint8Array) => boolean = (found) => Buffer.compare(found, bytes) === 0,
  ): Promise<void> {
    const { now, retainMs } = this.#ports
    if ((await store.keep(path, bytes, now() + retainMs)) === 'kept') return
    for await (const [rest, { version }] of store.list(path)) {
      const found = rest === '' ? await store.read(path, version) : undefined
      if (found && isSame(found.bytes) && found.lockedUntilMs !== undefined && found.lockedUntilMs > now()) return
    }
    this.#conflict = path
    if (now() - this.#conflictNotedAt >= conflictNotedEveryMs) {
      this.#conflictNotedAt = now()
      this.#note('archive.conflict', { path })
    }
    throw new Fault(
      `ALARM: ${path} in the archive is not what this log keeps there, or not locked. Find out who put it there; this log then needs another prefix`,
      'not-done',
    )
  }

  async #moveTo(next: number, published: number): Promise<void> {
    const moved = { next, leaf: Buffer.from(await leafAt(this.#ports.view, next - 1, published)).toString('base64url') }
    await this.#ports.cursors.keep(moved)
    this.#cursor = moved
  }

  async #fittingCursor(): Promise<Cursor> {
    const { view, cursors, report, retainMs } = this.#ports
    const cursor = await cursors.read()
    if (!cursor && !this.#isStarted) this.#note('archive.started', { retainDays: Math.floor(retainMs / 86_400_000) })
    this.#isStarted = true
    if (!cursor || cursor.next === 0) return { next: 0, leaf: '' }
    const isOwn = cursor.next <= this.#published && Buffer.from(await leafAt(view, cursor.next - 1, this.#published)).toString('base64url') === cursor.leaf
    if (isOwn) return cursor
    report(new Fault(`the archive has ${cursor.next} entries of another log than this one: it is compared from the first entry on`, 'not-done'))
    return { next: 0, leaf: '' }
  }

  async #look(): Promise<(Checkpoint & { readonly text: string }) | undefined> {
    const text = await this.#ports.view.checkpoint()
    const checkpoint = text === undefined ? undefined : this.#opened(text)
    if (text !== undefined && !checkpoint) throw new Fault('the checkpoint of the log was not signed with its key', 'not-done')
    this.#published = checkpoint?.size ?? 0
    if (this.#published > this.#cursor.next) this.#behindSince ??= this.#ports.now()
    return checkpoint
  }

  #tellLag(): void {
    const { lagEntries, lagMs, size } = this.state
    const isBehind = lagMs > this.#ports.everyMs + archiveBehindMsMax
    if (isBehind === this.#isNotedBehind) return
    this.#isNotedBehind = isBehind
    if (isBehind) this.#note('archive.behind', { entries: lagEntries, archived: size })
    else this.#note('archive.caught-up', { archived: size })
  }

  #note(...[act, subject]: Parameters<ArchivePorts['note']>): void {
    this.#ports.note(act, subject).catch(this.#ports.report)
  }

  #opened(text: string): (Checkpoint & { readonly text: string }) | undefined {
    const opened = openCheckpoint(text, this.#ports.key, nodeLogCrypto)
    return opened.kind === 'opened' ? { ...opened.checkpoint, text } : undefined
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
