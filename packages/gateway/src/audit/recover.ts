import { Fault, unreachable } from '@sallyport/contract'
import {
  bundlePath,
  bundleWidth,
  decodeBundle,
  leafHash,
  openCheckpoint,
  readEntry,
  readTileFile,
  tilePath,
  tileWidth,
  hashBytes,
  verifyLog,
  type Checkpoint,
  type PrunedPart,
  type Tile,
} from '@sallyport/contract/log'
import { readJournal } from './journal.ts'
import type { KeptCheckpoint, LogFiles, Segment } from './log-files.ts'
import { nodeLogCrypto, type LogSigner } from './log-key.ts'
import { Publication } from './publication.ts'

export interface Recovered {
  readonly size: number
  /** Entries that the journal held beyond the checkpoint. */
  readonly replayed: number
  /** Bytes of a batch that was being written when the process or machine stopped. Nothing in them was acknowledged. */
  readonly bytesCut: number
  /** The time of the newest entry: events written from now on must not be older. */
  readonly lastTime: string | undefined
}

export interface RecoveredLog {
  readonly recovered: Recovered
  readonly publication: Publication
}

const advice = 'Keep the folder as evidence, run `sallyport log verify` on it, and restore the log from a copy or start a new one in another folder.'

/**
 * Brings the folder to the state of one moment: everything that was ever acknowledged, nothing that is half written.
 *
 * Every entry is rebuilt into the signed root, since what the gateway knows of quotas and approvals is read from them next. Of those that were pruned, the hashes are.
 *
 * @throws Fault `not-done` when the files contradict the signed checkpoint, the kept one or each other, naming the first bad index and what to do.
 */
export async function recoverLog(files: LogFiles, signer: LogSigner, kept?: KeptCheckpoint, pruned?: PrunedPart): Promise<RecoveredLog> {
  const keptText = await kept?.read()
  const keptCheckpoint = keptText === undefined ? undefined : openOwn(keptText, signer, 'the kept checkpoint of the log')
  const checkpoint = await readOwnCheckpoint(files, signer)
  if (pruned && !checkpoint) throw new Fault(`log.pruned says that entries were pruned, and the log has no checkpoint. ${advice}`, 'not-done')
  if (!checkpoint && keptCheckpoint) throw rolledBack(0, keptCheckpoint)
  const publishedSize = checkpoint?.size ?? 0
  const edge = await readEdge(files, signer, publishedSize, pruned)
  const publication = new Publication(files, signer, { size: publishedSize, ...edge, publishedSize: checkpoint?.size }, kept)
  if (checkpoint) {
    await checkRightEdge(files, signer, checkpoint, publication, edge, pruned)
    await checkEveryEntry(files, signer, keptCheckpoint && keptCheckpoint.size <= publishedSize ? keptText : undefined, pruned)
  }

  const bytesCut = await replayJournal(files, signer, publication, edge.bundle, keptCheckpoint)
  if (keptCheckpoint && keptCheckpoint.size > publication.size) throw rolledBack(publication.size, keptCheckpoint)
  const lastEntry = publication.lastEntry ?? (await readLastPublished(files, publishedSize))
  return { recovered: { size: publication.size, replayed: publication.size - publishedSize, bytesCut, lastTime: lastEntry && timeOf(lastEntry) }, publication }
}

async function readOwnCheckpoint(files: LogFiles, signer: LogSigner): Promise<Checkpoint | undefined> {
  const text = await files.checkpoint()
  if (text !== undefined) {
    return openOwn(text, signer, "the log's checkpoint")
  }
  // Without a checkpoint the log is new, or its journal still holds everything from the first entry on.
  const [oldest] = await files.segments()
  const isBegun = oldest !== undefined || (await files.has(bundlePath(0, tileWidth))) || (await files.has(`${bundlePath(0, tileWidth)}.p`))
  if (isBegun && oldest?.firstIndex !== 0) throw new Fault(`the log has entries from index 0 on but no checkpoint: it was removed. ${advice}`, 'not-done')
  return undefined
}

function openOwn(text: string, signer: LogSigner, what: string): Checkpoint {
  const opened = openCheckpoint(text, signer.key, nodeLogCrypto)
  if (opened.kind === 'refused') throw new Fault(`${what} is not its own: ${opened.reason}. Start with the key that signed it. ${advice}`, 'not-done')
  return opened.checkpoint
}

interface RightEdge {
  readonly edge: readonly Tile[]
  /** Entries of the unfinished bundle. */
  readonly bundle: readonly Uint8Array[]
}

async function readEdge(files: LogFiles, signer: LogSigner, size: number, pruned: PrunedPart | undefined): Promise<RightEdge> {
  const edge: Tile[] = []
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    const address = { level, index: Math.floor(count / tileWidth), width: count % tileWidth }
    if (address.width === 0) continue
    const bytes = await readTileFile(files, (width) => tilePath({ ...address, width }), address.width)
    if (!bytes || bytes.length < address.width * hashBytes) throw await contradiction(files, signer, pruned, `${tilePath(address)} is missing`)
    edge.push({ ...address, bytes })
  }
  const index = Math.floor(size / tileWidth)
  const width = bundleWidth(index, size)
  const file = width > 0 ? await readTileFile(files, (some) => bundlePath(index, some), width) : new Uint8Array(0)
  const bundle = file ? decodeBundle(file, width) : []
  if (bundle.length < width) throw await contradiction(files, signer, pruned, `entry ${index * tileWidth + bundle.length} is missing below the checkpoint`)
  return { edge, bundle }
}

/** Compares the signed root with the right edge of the tiles, and the newest entries with the tiles. */
async function checkRightEdge(
  files: LogFiles,
  signer: LogSigner,
  checkpoint: Checkpoint,
  publication: Publication,
  { edge, bundle }: RightEdge,
  pruned: PrunedPart | undefined,
): Promise<void> {
  const leaves = edge.find(({ level }) => level === 0)?.bytes ?? new Uint8Array(0)
  const isEdgeSound = bundle.every(
    (entry, at) => Buffer.compare(leafHash(nodeLogCrypto.sha256, entry), leaves.subarray(at * hashBytes, (at + 1) * hashBytes)) === 0,
  )
  if (!isEdgeSound || Buffer.compare(publication.root(), checkpoint.root) !== 0)
    throw await contradiction(files, signer, pruned, 'the files do not hash to the signed root')
}

async function checkEveryEntry(files: LogFiles, signer: LogSigner, earlier: string | undefined, pruned: PrunedPart | undefined): Promise<void> {
  const verdict = await verifyLog(files, signer.key, nodeLogCrypto, { hashesOnly: true, earlier: earlier === undefined ? [] : [earlier], pruned })
  if (verdict.kind === 'fault') throw new Fault(`the log was tampered with or damaged: ${verdict.text}. ${advice}`, 'not-done')
}

/** Adds the journal's entries beyond the checkpoint and gives the number of bytes cut off its end. */
async function replayJournal(
  files: LogFiles,
  signer: LogSigner,
  publication: Publication,
  bundle: readonly Uint8Array[],
  kept: Checkpoint | undefined,
): Promise<number> {
  const publishedSize = publication.size
  const bundleStart = publishedSize - bundle.length
  const segments = await files.segments()
  let bytesCut = 0
  for (const [at, segment] of segments.entries()) {
    publication.follow(segment)
    if (segment.firstIndex > publication.size) throw missing(publication.size, segment)
    const bytes = (await files.readSegment(segment)) ?? new Uint8Array(0)
    const read = readJournal(bytes, segment.firstIndex, (...parts) => signer.authenticate(...parts))
    for (const entry of read.entries) {
      const published = bundle[entry.index - bundleStart]
      if (published && Buffer.compare(published, entry.bytes) !== 0)
        throw new Fault(`entry ${entry.index} differs between the journal and the published log. ${advice}`, 'not-done')
      if (entry.index !== publication.size) continue
      publication.add(Uint8Array.from(entry.bytes))
      if (kept?.size === publication.size && Buffer.compare(publication.root(), kept.root) !== 0)
        throw new Fault(`the log was rewritten: its first ${kept.size} entries are not those that this gateway signed before. ${advice}`, 'not-done')
    }
    const badIndex = segment.firstIndex + read.entries.length
    const isNewest = at === segments.length - 1
    if (read.end === 'forged')
      throw new Fault(
        `the journal from entry ${badIndex} on was not written by this gateway: it does not bear its mark. Start with the sealing key that wrote it. ${advice}`,
        'not-done',
      )
    if (read.end === 'damaged' || (read.end === 'torn' && !isNewest))
      throw new Fault(`the journal is damaged at entry ${badIndex}, in front of entries that were acknowledged. ${advice}`, 'not-done')
    if (read.end === 'torn') {
      await files.cutSegment(segment, read.wholeBytes)
      bytesCut = bytes.length - read.wholeBytes
    }
  }
  return bytesCut
}

async function readLastPublished(files: LogFiles, size: number): Promise<Uint8Array | undefined> {
  if (size === 0) return undefined
  const file = await files.tile(bundlePath(Math.floor((size - 1) / tileWidth), tileWidth))
  return file && decodeBundle(file, tileWidth).at(-1)
}

/** Names the first bad entry, which takes a look at all of them. */
async function contradiction(files: LogFiles, signer: LogSigner, pruned: PrunedPart | undefined, what: string): Promise<Fault> {
  const verdict = await verifyLog(files, signer.key, nodeLogCrypto, { hashesOnly: true, pruned })
  return new Fault(`the log contradicts its signed checkpoint: ${verdict.kind === 'fault' ? verdict.text : what}. ${advice}`, 'not-done')
}

function rolledBack(size: number, kept: Checkpoint): Fault {
  const told = `it has ${size} entries, but this gateway signed ${kept.size}; entries from ${size} on are gone`
  return new Fault(`the log was rolled back: ${told}. ${advice} Starting a new one also takes the removal of log.head beside it.`, 'not-done')
}

function missing(index: number, segment: Segment): Fault {
  return new Fault(`entries ${index} to ${segment.firstIndex - 1} are missing from the journal. ${advice}`, 'not-done')
}

function timeOf(entry: Uint8Array): string | undefined {
  const read = readEntry(entry)
  switch (read.kind) {
    case 'flawed':
      return undefined
    case 'newer':
      return read.time
    case 'event':
      return read.event.time
    default:
      return unreachable(read)
  }
}
