import { Fault } from '@sallyport/contract'
import {
  bundlePath,
  bundleWidth,
  encodeBundle,
  hashBytes,
  leafHash,
  openCheckpoint,
  readTileFile,
  tilePath,
  tileWidth,
  Tree,
  type Checkpoint,
  type Tile,
  type TileAddress,
  type VerifierKey,
} from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { checkpointPath } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'
import { readBundle } from './reader.ts'

export interface LogFile {
  /** Below the folder of the log. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** The checkpoint of the log, if it covers the entry at `index`. @throws Fault when it is not signed with the key */
export async function checkpointOver(view: LogView, key: VerifierKey, index: number): Promise<(Checkpoint & { readonly text: string }) | undefined> {
  const text = await view.checkpoint()
  if (text === undefined) return undefined
  const opened = openCheckpoint(text, key, nodeLogCrypto)
  if (opened.kind === 'refused') throw new Fault(`the checkpoint of the log cannot be trusted: ${opened.reason}`, 'not-done')
  return opened.checkpoint.size > index ? { ...opened.checkpoint, text } : undefined
}

/**
 * The published log as it was at a checkpoint, file by file, while a gateway may go on writing it.
 *
 * Only entries are read; the tiles are made from them, and at the end their root is compared with what was signed. So what was copied to the end is the log that the
 * checkpoint stands for, and nothing else. Of the first `prunedSize` entries, which are not there any more, the hashes are read in their place.
 *
 * @throws Fault `not-done` when the entries are not those that were signed
 */
export async function* copyLog(view: LogView, checkpoint: Checkpoint & { readonly text: string }, prunedSize = 0): AsyncGenerator<LogFile> {
  yield { path: checkpointPath, bytes: Buffer.from(checkpoint.text) }
  yield* copyFiles(view, checkpoint, { from: 0, prunedSize })
}

/**
 * As `copyLog`, without the checkpoint; of the files that a log of `from` entries had, those that have not changed since are left out. Then the right edge of that smaller
 * log comes from its tiles, which the root commits to like everything else.
 *
 * @throws Fault
 */
export async function* copyFiles(
  view: LogView,
  { size, root }: Checkpoint,
  { from, prunedSize = 0 }: { readonly from: number; readonly prunedSize?: number },
): AsyncGenerator<LogFile> {
  const full: Tile[] = []
  const first = from - (from % tileWidth)
  const tree = Tree.resume(nodeLogCrypto.sha256, first, await edgeOf(view, first), (tile) => full.push(tile))
  for (let bundle = first / tileWidth; bundle * tileWidth < size; bundle += 1) {
    if (bundle * tileWidth < prunedSize) {
      const hashes = await readTile(view, { level: 0, index: bundle, width: tileWidth })
      for (let at = 0; at < tileWidth; at += 1) tree.append(hashes.subarray(at * hashBytes, (at + 1) * hashBytes))
    } else {
      const entries = await readBundle(view, bundle, size)
      for (const entry of entries) tree.append(leafHash(nodeLogCrypto.sha256, entry))
      yield { path: bundlePath(bundle, bundleWidth(bundle, size)), bytes: encodeBundle(entries) }
    }
    for (const tile of full.splice(0)) yield { path: tilePath(tile), bytes: tile.bytes }
  }
  for (const tile of tree.edge()) yield { path: tilePath(tile), bytes: tile.bytes }
  if (Buffer.compare(tree.root(), root) !== 0)
    throw new Fault('the entries of the log are not those that were signed: run "sallyport log verify", and keep the folder as evidence', 'not-done')
}

/** The root over the first `size` entries, whole bundles of them, by the tiles: as good as these are. @throws Fault */
export async function rootAt(view: LogView, size: number): Promise<Uint8Array> {
  return Tree.resume(nodeLogCrypto.sha256, size, await edgeOf(view, size), () => undefined).root()
}

/** The unfinished tiles of a log of so many entries, whole bundles of them. @throws Fault */
async function edgeOf(view: LogView, size: number): Promise<readonly Tile[]> {
  const edge: Tile[] = []
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    const address = { level, index: Math.floor(count / tileWidth), width: count % tileWidth }
    if (address.width > 0) edge.push({ ...address, bytes: await readTile(view, address) })
  }
  return edge
}

/** @throws Fault when it is not there whole */
async function readTile(view: LogView, address: TileAddress): Promise<Uint8Array> {
  const bytes = await readTileFile(view, (width) => tilePath({ ...address, width }), address.width)
  if (!bytes || bytes.length < address.width * hashBytes) throw new Fault(`${tilePath(address)} is missing: verify the log`, 'not-done')
  return bytes.subarray(0, address.width * hashBytes)
}
