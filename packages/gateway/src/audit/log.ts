import type { LogEvent } from '@sallyport/contract'

/**
 * The append-only log of this node.
 */
export interface Log {
  /** Entries appended so far, durable or not. */
  readonly size: number
  /** True while the log can take entries; false for good after a write of unknown outcome, until the gateway restarts and recovers. */
  readonly isAvailable: boolean
  /** False while so many entries wait for the disk that `append` would refuse one more. */
  readonly hasRoom: boolean
  /**
   * Takes the entry in call order and resolves with its index once it is durable; entries waiting together share one fdatasync.
   *
   * @throws Fault `outcome: 'unknown'` when the disk fails: this entry and every later one is refused, since the tail of the log is in doubt.
   * @throws Fault `outcome: 'not-done'` when the entry is too large or the log is already unavailable or its queue is full.
   */
  append(event: LogEvent): Promise<number>
  /** Waits for everything appended, publishes a checkpoint over it, releases the files. */
  close(): Promise<void>
}
