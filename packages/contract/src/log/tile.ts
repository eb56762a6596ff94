import { concatBytes, hashBytes, parseDecimal } from './bytes.ts'
import type { Sha256 } from './log-crypto.ts'
import { nodeHash, type HashReader } from './merkle.ts'

/** Hashes in a full tile, and entries in a full bundle. */
export const tileWidth = 256
/** Levels of the tree that one tile spans. */
export const tileHeight = 8
/** An entry's length has two bytes. */
export const entryBytesMax = 65_535

/** One tile of hashes: the `index`-th of its level, `width` hashes of complete subtrees over 256^`level` entries each. */
export interface TileAddress {
  readonly level: number
  readonly index: number
  readonly width: number
}

/** @see https://c2sp.org/tlog-tiles */
export function tilePath({ level, index, width }: TileAddress): string {
  return `tile/${level}/${groups(index)}${partial(width)}`
}

/** Where the entries below the level-0 tile of this index stand. */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${groups(index)}${partial(width)}`
}

export type TileResource = ({ readonly kind: 'tile' } & TileAddress) | { readonly kind: 'entries'; readonly index: number; readonly width: number }

const levelMax = 63
const tileResource = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*)([0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Reads the path of a tile or bundle; undefined for every spelling but the one that `tilePath` and `bundlePath` write. */
export function parseTilePath(path: string): TileResource | undefined {
  const [, level = '', groupsText = '', last = '', widthText] = tileResource.exec(path) ?? []
  const digits = `${groupsText.replaceAll(/[x/]/g, '')}${last}`
  const index = parseDecimal(digits.replace(/^0+(?=[0-9])/, ''))
  const width = widthText === undefined ? tileWidth : Number(widthText)
  if (index === undefined || groups(index) !== `${groupsText}${last}` || (widthText !== undefined && width >= tileWidth)) return undefined
  if (level === 'entries') return { kind: 'entries', index, width }
  return Number(level) <= levelMax ? { kind: 'tile', level: Number(level), index, width } : undefined
}

/** Whether a log of `size` entries has it, and has it whole. */
export function isCovered(resource: TileResource, size: number): boolean {
  const span = resource.kind === 'tile' ? tileWidth ** resource.level : 1
  return (resource.index * tileWidth + resource.width) * span <= size
}

/** How many of `size` entries the bundle (or level-0 tile) of this index holds, 0 to 256. */
export function bundleWidth(index: number, size: number): number {
  return Math.max(0, Math.min(tileWidth, size - index * tileWidth))
}

/** Each entry after its length in two bytes, the higher first. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    if (entry.length > entryBytesMax) throw new RangeError(`an entry of ${entry.length} bytes is too large for the log`)
    parts.push(Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry)
  }
  return concatBytes(parts)
}

/** Reads up to `width` entries; fewer when the bundle ends early or inside an entry. Entries are views of `bundle`. */
export function decodeBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < width && at + 2 <= bundle.length) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
    if (at + 2 + length > bundle.length) break
    entries.push(bundle.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}

/** The root over `count` (a power of two) neighbouring hashes of a tile. */
export function runHash(sha256: Sha256, tile: Uint8Array, first: number, count: number): Uint8Array {
  let row: Uint8Array[] = []
  for (let at = first; at < first + count; at += 1) row.push(tile.slice(at * hashBytes, (at + 1) * hashBytes))
  while (row.length > 1) {
    const above: Uint8Array[] = []
    for (let at = 0; at + 1 < row.length; at += 2) above.push(nodeHash(sha256, row[at] ?? missing(), row[at + 1] ?? missing()))
    row = above
  }
  return row[0] ?? missing()
}

/** Reads subtree hashes of a log of `size` entries out of its tiles. What it gives is only as good as the tiles: verify what is made of it. */
export function hashReader(sha256: Sha256, size: number, readTile: (address: TileAddress) => Promise<Uint8Array>): HashReader {
  return async (height, index) => {
    const level = Math.floor(height / tileHeight)
    const count = 2 ** (height % tileHeight)
    const firstHash = index * count
    const tileIndex = Math.floor(firstHash / tileWidth)
    const width = bundleWidth(tileIndex, Math.floor(size / tileWidth ** level))
    const tile = await readTile({ level, index: tileIndex, width })
    return runHash(sha256, tile, firstHash % tileWidth, count)
  }
}

/** 1234067 is x001/x234/067. */
function groups(index: number): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const parts = padded.match(/.../g) ?? []
  return parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/')
}

function partial(width: number): string {
  return width === tileWidth ? '' : `.p/${width}`
}

function missing(): never {
  throw new RangeError('the tile does not hold these hashes')
}
