import { Fault } from '@sallyport/contract'
import {
  bundlePath,
  bundleWidth,
  encodeBundle,
  leafHash,
  openCheckpoint,
  tilePath,
  tileWidth,
  Tree,
  type Checkpoint,
  type Tile,
  type VerifierKey,
} from '@sallyport/contract/log'
import type { LogView } from '../../audit/log-files.ts'
import { checkpointPath } from '../../audit/log-files.ts'
import { nodeLogCrypto } from '../../audit/log-key.ts'
import { readBundle } from '../../audit/reader.ts'

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
 * checkpoint stands for, and nothing else.
 *
 * @throws Fault `not-done` when the entries are not those that were signed
 */
export async function* copyLog(view: LogView, { size, root, text }: Checkpoint & { readonly text: string }): AsyncGenerator<LogFile> {
  const full: Tile[] = []
  const tree = new Tree(nodeLogCrypto.sha256, (tile) => full.push(tile))
  yield { path: checkpointPath, bytes: Buffer.from(text) }
  for (let bundle = 0; bundle * tileWidth < size; bundle += 1) {
    const entries = await readBundle(view, bundle, size)
    for (const entry of entries) tree.append(leafHash(nodeLogCrypto.sha256, entry))
    yield { path: bundlePath(bundle, bundleWidth(bundle, size)), bytes: encodeBundle(entries) }
    for (const tile of full.splice(0)) yield { path: tilePath(tile), bytes: tile.bytes }
  }
  for (const tile of tree.edge()) yield { path: tilePath(tile), bytes: tile.bytes }
  if (Buffer.compare(tree.root(), root) !== 0)
    throw new Fault('the entries of the log are not those that were signed: run "sallyport log verify", and keep the folder as evidence', 'not-done')
}
