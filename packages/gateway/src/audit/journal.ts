import { crc32 } from 'node:zlib'
import { entryBytesMax } from '@sallyport/contract/log'

/**
 * A batch is what one write puts into the journal:
 *
 * `magic[4] | bytes u32 | count u32 | firstIndex u64 | crc u32 | count times (length u16 | entry)`, numbers big-endian; `bytes` counts the entries part,
 * `crc` covers everything else from `bytes` on. A crash can cut or scramble only the newest batch, none of whose entries was acknowledged.
 */
const magic = Buffer.from([0x01, 0x53, 0x50, 0x02])
const headBytes = 24
/** The batch is full at whichever comes first. */
export const batchBytesMax = 1_048_576
export const batchEntriesMax = 1024

/** Puts entries into a buffer of its own, which the next batch uses again. */
export class BatchWriter {
  readonly #buffer = Buffer.alloc(headBytes + batchBytesMax)
  #end = headBytes
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Adds an entry; false when the batch is full. */
  add(entry: Uint8Array): boolean {
    if (entry.length > entryBytesMax) throw new RangeError('the entry is too large')
    if (this.#count === batchEntriesMax || this.#end + 2 + entry.length > this.#buffer.length) return false
    this.#buffer.writeUInt16BE(entry.length, this.#end)
    this.#buffer.set(entry, this.#end + 2)
    this.#end += 2 + entry.length
    this.#count += 1
    return true
  }

  /** The batch's bytes, valid until the next `add`. */
  finish(firstIndex: number): Uint8Array {
    const buffer = this.#buffer
    buffer.set(magic, 0)
    buffer.writeUInt32BE(this.#end - headBytes, 4)
    buffer.writeUInt32BE(this.#count, 8)
    buffer.writeBigUInt64BE(BigInt(firstIndex), 12)
    buffer.writeUInt32BE(checksum(buffer.subarray(0, this.#end)), 20)
    const batch = buffer.subarray(0, this.#end)
    this.#end = headBytes
    this.#count = 0
    return batch
  }
}

export interface JournalEntry {
  readonly index: number
  readonly bytes: Uint8Array
}

export interface ReadSegment {
  readonly entries: readonly JournalEntry[]
  /** Where the last whole batch ends. */
  readonly wholeBytes: number
  /**
   * `whole`: the segment ends with a whole batch. `torn`: a batch that was being written follows. `damaged`: whole batches follow one that is not, which no
   * crash can do, since a batch is written only after the one in front of it is durable.
   */
  readonly end: 'whole' | 'torn' | 'damaged'
}

/** Reads the entries of a segment that starts at `firstIndex`, up to the first batch that is not whole or does not continue it. */
export function readJournal(bytes: Uint8Array, firstIndex: number): ReadSegment {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: JournalEntry[] = []
  let at = 0
  let index = firstIndex
  while (at < buffer.length) {
    const batch = readBatch(buffer, at)
    if (!batch || batch.firstIndex !== index) return { entries, wholeBytes: at, end: hasBatchAfter(buffer, at + 1) ? 'damaged' : 'torn' }
    for (const entry of batch.entries) {
      entries.push({ index, bytes: entry })
      index += 1
    }
    at = batch.end
  }
  return { entries, wholeBytes: at, end: 'whole' }
}

function readBatch(buffer: Buffer, at: number): { firstIndex: number; entries: Uint8Array[]; end: number } | undefined {
  if (at + headBytes > buffer.length || !buffer.subarray(at, at + magic.length).equals(magic)) return undefined
  const end = at + headBytes + buffer.readUInt32BE(at + 4)
  const count = buffer.readUInt32BE(at + 8)
  if (end > at + headBytes + batchBytesMax || end > buffer.length || count === 0 || count > batchEntriesMax) return undefined
  if (checksum(buffer.subarray(at, end)) !== buffer.readUInt32BE(at + 20)) return undefined
  const entries: Uint8Array[] = []
  let entryAt = at + headBytes
  while (entryAt + 2 <= end) {
    const entryEnd = entryAt + 2 + buffer.readUInt16BE(entryAt)
    if (entryEnd > end) return undefined
    entries.push(buffer.subarray(entryAt + 2, entryEnd))
    entryAt = entryEnd
  }
  return entryAt === end && entries.length === count ? { firstIndex: Number(buffer.readBigUInt64BE(at + 12)), entries, end } : undefined
}

/** Entries are JSON and hold no control characters, so the magic in front of a sound checksum is a batch and not a caller's text. */
function hasBatchAfter(buffer: Buffer, from: number): boolean {
  for (let at = buffer.indexOf(magic, from); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (readBatch(buffer, at)) return true
  }
  return false
}

function checksum(batch: Uint8Array): number {
  return crc32(batch.subarray(headBytes), crc32(batch.subarray(4, 20)))
}
