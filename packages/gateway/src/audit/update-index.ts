import { Fault } from '@sallyport/contract'
import { bundleWidth, hashBytes, leafHash, readTileFile, tilePath, tileWidth } from '@sallyport/contract/log'
import { factsOf, type EntryFacts } from './entry-facts.ts'
import type { LogView } from './log-files.ts'
import type { LogIndex } from './log-index.ts'
import { nodeLogCrypto } from './log-key.ts'
import { publishedSize, readBundle } from './reader.ts'

/** Entries that are added at once. */
const batchEntries = 16 * tileWidth

/**
 * Whether the index was made of this log: its ends are the log's, at the same places.
 *
 * @throws Fault when the log cannot be read
 */
export async function belongsTo(view: LogView, index: LogIndex): Promise<boolean> {
  const { size, ends } = await index.state()
  if (!ends) return true
  const published = await publishedSize(view)
  if (size > published) return false
  const isSame = async (at: number, leaf: Uint8Array): Promise<boolean> => Buffer.compare(await leafAt(view, at, published), leaf) === 0
  return (await isSame(0, ends.first)) && (await isSame(size - 1, ends.last))
}

/** SHA-256 of a published entry as a leaf of the tree, by the tile, which is there when the entry is pruned. @throws Fault when it cannot be read */
export async function leafAt(view: LogView, index: number, published: number): Promise<Uint8Array> {
  const bundle = Math.floor(index / tileWidth)
  const tile = await readTileFile(view, (width) => tilePath({ level: 0, index: bundle, width }), bundleWidth(bundle, published))
  const at = (index % tileWidth) * hashBytes
  if (!tile || tile.length < at + hashBytes) throw new Fault(`the hash of entry ${index} of the log is missing`, 'not-done')
  return tile.subarray(at, at + hashBytes)
}

/**
 * Brings an index to the end of what a checkpoint covers, and gives the entries that it has then. An index that was made of another log is made anew.
 *
 * @throws Fault
 */
export async function updateIndex(view: LogView, index: LogIndex, signal?: AbortSignal, onProgress?: (entries: number, size: number) => void): Promise<number> {
  if (!(await belongsTo(view, index))) await index.clear()
  const published = await publishedSize(view)
  while (!signal?.aborted) {
    const { size, ends } = await index.state()
    if (size >= published) break
    const until = Math.min(published, (Math.floor(size / batchEntries) + 1) * batchEntries)
    const entries = await readPublished(view, size, until, published)
    const [first = new Uint8Array(0)] = entries
    const leaf = (entry: Uint8Array): Uint8Array => leafHash(nodeLogCrypto.sha256, entry)
    // Where another process was faster, the next round goes on from there.
    await index.add(size, { facts: entries.map(factsOfBytes), ends: { first: ends?.first ?? leaf(first), last: leaf(entries.at(-1) ?? first) } })
    onProgress?.(until, published)
  }
  return (await index.state()).size
}

/** Entries below a checkpoint, byte by byte, from one index to just below another. @throws Fault when one is missing */
export async function readPublished(view: LogView, from: number, until: number, published: number): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (let bundle = Math.floor(from / tileWidth); bundle * tileWidth < until; bundle += 1) {
    const start = bundle * tileWidth
    entries.push(...(await readBundle(view, bundle, published)).slice(Math.max(0, from - start), until - start))
  }
  return entries
}

/** The log's own rules are for who verifies it: an entry that breaks them has no facts here, and is no reason to index nothing after it. */
function factsOfBytes(bytes: Uint8Array): EntryFacts {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
    return factsOf(typeof value === 'object' && value !== null ? value : {})
  } catch {
    return { time: '', rules: [] }
  }
}
