import type { LogReader } from '@sallyport/contract/log'

/** One journal segment, named for the index of its first entry. */
export interface Segment {
  readonly firstIndex: number
}

/**
 * The log's files, for reading: safe while another process writes, because published files only ever appear whole, are replaced whole, and a
 * journal segment only grows.
 */
export interface LogView extends LogReader {
  /** The journal's segments, oldest first. */
  segments(): Promise<readonly Segment[]>
  /** What the segment holds at this moment; undefined when it was removed. Its end may be half of a batch that is being written. */
  readSegment(segment: Segment): Promise<Uint8Array | undefined>
}

/**
 * The log's files, held by one process at a time: the driver refuses (`Fault`) to open a folder that another live process holds.
 *
 * Every verb throws `Fault`; after one did, the bytes it wrote may be there, in part or not at all.
 */
export interface LogFiles extends LogView {
  /** Starts a new segment, to which `append` then writes. Durable as a name when it resolves. A segment that exists and is empty is used again. */
  startSegment(segment: Segment): Promise<void>
  /** Adds bytes at the end of the newest segment: one write, one fdatasync. Durable when it resolves. Never called twice at once. */
  append(bytes: Uint8Array): Promise<void>
  /** Shortens a segment to its first `length` bytes. Durable when it resolves. */
  cutSegment(segment: Segment, length: number): Promise<void>
  removeSegment(segment: Segment): Promise<void>
  /** Writes a whole file under its path, in place of what was there. Atomic, and durable when it resolves, directories included. */
  publish(path: string, bytes: Uint8Array): Promise<void>
  /** Removes partial tiles (`path` as of the full one) narrower than `width`. A crash may leave some of them behind. */
  removePartials(path: string, width: number): Promise<void>
  /** Whether anything stands under the path of a published file. */
  has(path: string): Promise<boolean>
  /** Releases the folder. */
  close(): Promise<void>
}

/** The newest checkpoint that was signed, kept where whoever can write the log's folder cannot: it convicts a log that was cut, put back or replaced. */
export interface KeptCheckpoint {
  /** Undefined before the first one. @throws Fault */
  read(): Promise<string | undefined>
  /** Durable when it resolves. @throws Fault */
  keep(note: string): Promise<void>
}

/** Where the newest checkpoint stands, by tlog-tiles. */
export const checkpointPath = 'checkpoint'

/** Where the newest checkpoint that witnesses cosigned stands, beside the newest. */
export const cosignedPath = 'cosigned'
