import { timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { entryBytesMax } from '@sallyport/contract/log'

/**
 * A batch is what one write puts into the journal:
 *
 * `magic[4] | bytes u32 | count u32 | firstIndex u64 | mac[32] | crc u32 | count times (length u16 | entry)`, numbers big-endian; `bytes` counts the entries part.
 *
 * `crc` covers everything else from `bytes` on and tells a torn write: a crash can cut or scramble only the newest batch, none of whose entries was
 * acknowledged. `mac` covers the MAC of the batch before it in the segment (zeros for the first), `bytes` to `firstIndex` and the entries, and tells who wrote:
 * no checkpoint signs these entries yet, and what recovery takes from here it publishes and signs.
 */
const magic = Buffer.from([0x01, 0x53, 0x50, 0x03])
const macAt = 20
/** Of the MAC. */
const macBytes = 32
const crcAt = macAt + macBytes
const headBytes = crcAt + 4
const firstMac = Buffer.alloc(macBytes)

/** A keyed MAC of 32 bytes over all parts in a row. */
export type Authenticate = (...parts: readonly Uint8Array[]) => Uint8Array

/** The batch is full at whichever comes first. */
export const batchBytesMax = 1_048_576
export const batchEntriesMax = 1024

/** Puts entries into a buffer of its own, which the next batch uses again. */
export class BatchWriter {
  readonly #authenticate: Authenticate
  #mac: Uint8Array = firstMac
  readonly #buffer = Buffer.alloc(headBytes + batchBytesMax)
  #end = headBytes
  #count = 0

  constructor(authenticate: Authenticate) {
    this.#authenticate = authenticate
  }

  /** The next batch is the first of a segment. */
  startSegment(): void {
    this.#mac = firstMac
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
    const batch = buffer.subarray(0, this.#end)
    this.#mac = this.#authenticate(this.#mac, ...covered(batch))
    buffer.set(this.#mac, macAt)
    buffer.writeUInt32BE(checksum(batch), crcAt)
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
   * crash can do, since a batch is written only after the one in front of it is durable. `forged`: a whole batch follows that was not written with the key.
   */
  readonly end: 'whole' | 'torn' | 'damaged' | 'forged'
}

/**
 * Reads the entries of a segment that starts at `firstIndex`, up to the first batch that is not whole, does not continue it or is forged.
 *
 * Without `authenticate` nothing is found forged: that is for readers who trust whoever can write the folder.
 */
export function readJournal(bytes: Uint8Array, firstIndex: number, authenticate?: Authenticate): ReadSegment {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: JournalEntry[] = []
  let at = 0
  let index = firstIndex
  let mac: Uint8Array = firstMac
  while (at < buffer.length) {
    const batch = readBatch(buffer, at)
    if (!batch || batch.firstIndex !== index) return { entries, wholeBytes: at, end: hasBatchAfter(buffer, at + 1) ? 'damaged' : 'torn' }
    const bytesOfBatch = buffer.subarray(at, batch.end)
    const shown = bytesOfBatch.subarray(macAt, crcAt)
    if (authenticate && !timingSafeEqual(authenticate(mac, ...covered(bytesOfBatch)), shown)) return { entries, wholeBytes: at, end: 'forged' }
    mac = shown
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
  if (checksum(buffer.subarray(at, end)) !== buffer.readUInt32BE(at + crcAt)) return undefined
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
  return crc32(batch.subarray(headBytes), crc32(batch.subarray(4, crcAt)))
}

/** What the MAC covers beside the one before it. */
function covered(batch: Uint8Array): readonly Uint8Array[] {
  return [batch.subarray(4, macAt), batch.subarray(headBytes)]
}
