/** The first version of an object, which is the one that counts: what comes later can lie over it and cannot take it away. */
export interface FirstVersion {
  readonly version: string
  /** What was laid over it, so that others do not see it. */
  readonly over: 'nothing' | 'delete-marker' | 'version'
}

export interface ArchivedObject {
  readonly bytes: Uint8Array
  /** Until this moment nobody can remove it; undefined: whoever may delete can. */
  readonly lockedUntilMs: number | undefined
}

/** Where the files of the log are kept for reading. Nothing it gives is trusted. Every verb throws `Fault`, within a deadline. */
export interface ArchiveView {
  /** The objects whose paths begin so and have no slash behind that, by the rest of their paths, in the order of the paths. */
  list(prefix: string): AsyncIterable<readonly [rest: string, first: FirstVersion]>
  /** One version of an object; undefined when there is none. */
  read(path: string, version: string): Promise<ArchivedObject | undefined>
  close(): void
}

/** Where the files of the log are kept so that nobody can remove them. */
export interface ArchiveStore extends ArchiveView {
  /** Why it cannot keep anything safe, if it cannot: a sentence that says what to do. @throws Fault when it does not answer, or not this */
  objection(): Promise<string | undefined>
  /**
   * Keeps a file that nobody can remove before `untilMs`, whatever their rights: durable when it resolves with `kept`.
   *
   * `exists`: there is an object under this path, and nothing was changed. Of two that keep at once, one is told so.
   */
  keep(path: string, bytes: Uint8Array, untilMs: number): Promise<'kept' | 'exists'>
}

/** Where a checkpoint of so many entries stands: all have the same length, so that their order is that of the log. */
export function archivedCheckpointPath(kind: 'checkpoints' | 'cosigned', size: number): string {
  return `${kind}/${String(size).padStart(checkpointDigits, '0')}`
}

/** The size in the name of a checkpoint; undefined for every other name. */
export function archivedCheckpointSize(name: string): number | undefined {
  const size = Number(name)
  return /^[0-9]{16}$/.test(name) && Number.isSafeInteger(size) ? size : undefined
}

const checkpointDigits = 16
