import { equalBytes, hashBytes, toBase64 } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import { EntryCheck } from './entry-check.ts'
import { openCheckpoints, rewritten } from './earlier-checkpoints.ts'
import type { LogCrypto } from './log-crypto.ts'
import { leafHash } from './merkle.ts'
import { bundlePath, bundleWidth, decodeBundle, encodeBundle, tilePath, tileWidth } from './tile.ts'
import { Tree, type Tile } from './tree.ts'
import type { LogTrust } from './trust.ts'

/** Where a log can be read: a folder, a web server, a bucket. Nothing it gives is trusted. */
export interface LogReader {
  /** The newest signed checkpoint. */
  checkpoint(): Promise<string | undefined>
  /** The newest checkpoint that witnesses cosigned, where it is kept apart from the newest signed one. */
  cosigned?(): Promise<string | undefined>
  /** The file at a path of tlog-tiles. For a partial tile or bundle a longer one that starts with it will do. */
  tile(path: string): Promise<Uint8Array | undefined>
}

export type LogCheck =
  /** There is no checkpoint, or the key did not sign it. */
  | 'checkpoint-untrusted'
  /** No checkpoint is cosigned as the policy demands. */
  | 'quorum-missing'
  /** The log is shorter than an earlier checkpoint of it. */
  | 'rolled-back'
  /** The log is not a continuation of an earlier checkpoint of it. */
  | 'history-rewritten'
  | 'entries-missing'
  /** An entry does not hash to what the tiles say. */
  | 'entry-altered'
  | 'tile-missing'
  /** A tile does not hash to what the tile above it says, or both to what was signed. */
  | 'tile-altered'
  | 'entry-malformed'
  | 'time-reversed'
  | 'outcome-unpaired'
  /** The records of an agent do not follow each other by their numbers, and no entry says which are missing. */
  | 'records-unordered'

/** The first fault, in log order. */
export interface LogFault {
  readonly kind: 'fault'
  readonly check: LogCheck
  /** The entry concerned; where only a range can be named, its first and `lastIndex`. Absent when no entry is concerned. */
  readonly index?: number
  readonly lastIndex?: number
  /** One sentence for a person. */
  readonly text: string
}

export interface VerifiedLog {
  readonly kind: 'verified'
  readonly origin: string
  readonly size: number
  /** Base64, as in the checkpoint. */
  readonly root: string
  /** Of a policy: the checkpoint that meets its quorum. Entries from `size` on are signed by the log alone. */
  readonly cosigned?: { readonly size: number; readonly witnesses: readonly { readonly name: string; readonly time: string }[] }
  /** When the first and the last entry were written; absent for an empty log. */
  readonly firstTime?: string
  readonly lastTime?: string
  /** Permitted calls whose outcome is not in the log. */
  readonly unanswered: number
  /** Entries of types, or with members, that this verifier is too old to judge; their place in the log is verified. */
  readonly newer: number
}

export interface VerifyOptions {
  /** Checkpoints of this log that you kept: the log must continue each. Without one, a rollback to an older state cannot be noticed. */
  readonly earlier?: readonly string[]
  /** Checks hashes and signature only, not what the entries say. */
  readonly hashesOnly?: boolean
  readonly onProgress?: (entries: number, size: number) => void
}

/**
 * Verifies a whole log offline: every hash is rebuilt from the entries, and the result must be what the key signed, and, where `trust` is a policy, must continue
 * what a quorum of its witnesses cosigned.
 *
 * Tiles are compared with what the entries give and never believed: a verifier that starts from tile hashes accepts an entry that was exchanged
 * below them (CVE-2026-56865). Memory stays small however long the log is.
 *
 * What it cannot show: that the log's writer wrote everything that happened, or that it shows others the same log. That takes witnesses.
 */
export async function verifyLog(reader: LogReader, trust: LogTrust, crypto: LogCrypto, options: VerifyOptions = {}): Promise<VerifiedLog | LogFault> {
  const opened = await openCheckpoints(reader, trust, crypto, options.earlier ?? [])
  if (opened.kind === 'fault') return opened
  const { newest: checkpoint, kept, cosigned } = opened

  const full: Tile[] = []
  const tree = new Tree(crypto.sha256, (tile) => full.push(tile))
  const check = new EntryCheck()
  /** Entries that are as an earlier checkpoint has them. */
  let provenSize = 0

  for (let bundle = 0; bundle * tileWidth < checkpoint.size; bundle += 1) {
    const entries = await readBundle(reader, bundle, checkpoint.size)
    if ('kind' in entries) return entries
    const leaves = entries.map((entry) => leafHash(crypto.sha256, entry))
    const fault = (await compareLeaves(reader, bundle, leaves, checkpoint.size)) ?? (options.hashesOnly ? undefined : judge(check, bundle * tileWidth, entries))
    if (fault) return fault
    for (const leaf of leaves) {
      tree.append(leaf)
      const earlier = kept.filter(({ size }) => size === tree.size)
      if (earlier.length === 0) continue
      const root = tree.root()
      const other = earlier.find((one) => !equalBytes(one.root, root))
      if (other) return rewritten(other)
      provenSize = tree.size
    }
    for (const tile of full.splice(0).filter(({ level }) => level > 0)) {
      const altered = await compareTile(reader, tile)
      if (altered) return altered
    }
    options.onProgress?.(tree.size, checkpoint.size)
  }
  for (const tile of tree.edge().filter(({ level }) => level > 0)) {
    const altered = await compareTile(reader, tile)
    if (altered) return altered
  }
  if (!equalBytes(tree.root(), checkpoint.root)) return notWhatWasSigned(checkpoint, provenSize)

  return {
    kind: 'verified',
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: toBase64(checkpoint.root),
    ...(cosigned && {
      cosigned: {
        size: cosigned.checkpoint.size,
        witnesses: cosigned.cosignatures.map(({ key, time }) => ({ name: key.name, time: new Date(time * 1000).toISOString() })),
      },
    }),
    ...(check.firstTime !== undefined && { firstTime: check.firstTime }),
    ...(check.lastTime !== undefined && { lastTime: check.lastTime }),
    unanswered: check.unanswered,
    newer: check.newer,
  }
}

/** The file of a tile or bundle as `pathOf` names it: the partial one, or the full one that took its place. */
export async function readTileFile(reader: LogReader, pathOf: (width: number) => string, width: number): Promise<Uint8Array | undefined> {
  return (await reader.tile(pathOf(width))) ?? (width < tileWidth ? reader.tile(pathOf(tileWidth)) : undefined)
}

async function readBundle(reader: LogReader, bundle: number, size: number): Promise<Uint8Array[] | LogFault> {
  const width = bundleWidth(bundle, size)
  const first = bundle * tileWidth
  const file = await readTileFile(reader, (some) => bundlePath(bundle, some), width)
  const entries = file ? decodeBundle(file, width) : []
  if (entries.length < width) {
    const index = first + entries.length
    return { kind: 'fault', check: 'entries-missing', index, text: `entry ${index} is missing: ${bundlePath(bundle, width)} does not hold it` }
  }
  if (width === tileWidth && file?.length !== encodeBundle(entries).length) {
    const index = first + width - 1
    return { kind: 'fault', check: 'entry-altered', index, text: `bytes that belong to no entry follow entry ${index} in ${bundlePath(bundle, width)}` }
  }
  return entries
}

/** Compares the hashes of the entries with the tile above them, to name the entry that was altered. */
async function compareLeaves(reader: LogReader, bundle: number, leaves: readonly Uint8Array[], size: number): Promise<LogFault | undefined> {
  const width = bundleWidth(bundle, size)
  const path = tilePath({ level: 0, index: bundle, width })
  const tile = await readTileFile(reader, (some) => tilePath({ level: 0, index: bundle, width: some }), width)
  for (const [at, leaf] of leaves.entries()) {
    const index = bundle * tileWidth + at
    const hash = tile?.subarray(at * hashBytes, (at + 1) * hashBytes)
    if (hash?.length !== hashBytes)
      return { kind: 'fault', check: 'tile-missing', index, text: `the hash of entry ${index} is missing: ${path} does not hold it` }
    if (!equalBytes(leaf, hash)) return { kind: 'fault', check: 'entry-altered', index, text: `entry ${index} was altered: its hash is not the one in ${path}` }
  }
  return undefined
}

function judge(check: EntryCheck, first: number, entries: readonly Uint8Array[]): LogFault | undefined {
  for (const [at, entry] of entries.entries()) {
    const flaw = check.take(first + at, entry)
    if (flaw) return { kind: 'fault', index: first + at, ...flaw }
  }
  return undefined
}

/** Compares a tile that was rebuilt from the entries with the log's own. */
async function compareTile(reader: LogReader, tile: Tile): Promise<LogFault | undefined> {
  const found = await readTileFile(reader, (width) => tilePath({ ...tile, width }), tile.width)
  const span = tileWidth ** tile.level
  for (let at = 0; at < tile.width; at += 1) {
    const hash = found?.subarray(at * hashBytes, (at + 1) * hashBytes)
    const index = (tile.index * tileWidth + at) * span
    const range = { index, lastIndex: index + span - 1 }
    if (hash?.length !== hashBytes)
      return {
        kind: 'fault',
        check: 'tile-missing',
        ...range,
        text: `the hash over entries ${index} to ${range.lastIndex} is missing: ${tilePath(tile)} does not hold it`,
      }
    if (!equalBytes(tile.bytes.subarray(at * hashBytes, (at + 1) * hashBytes), hash)) {
      return {
        kind: 'fault',
        check: 'tile-altered',
        ...range,
        text: `an entry from ${index} to ${range.lastIndex} was altered together with the tile above it: they do not hash to what ${tilePath(tile)} says`,
      }
    }
  }
  return undefined
}

function notWhatWasSigned(checkpoint: Checkpoint, provenSize: number): LogFault {
  const range = { index: provenSize, lastIndex: Math.max(provenSize, checkpoint.size - 1) }
  return {
    kind: 'fault',
    check: 'tile-altered',
    ...range,
    text: `an entry from ${range.index} to ${range.lastIndex} was altered together with every tile above it: the entries do not hash to the signed root`,
  }
}
