import { hashBytes } from './bytes.ts'
import type { Sha256 } from './log-crypto.ts'
import { emptyRoot, nodeHash } from './merkle.ts'
import { runHash, tileWidth, type TileAddress } from './tile.ts'

/** Bytes of a tile at an address. */
export interface Tile extends TileAddress {
  readonly bytes: Uint8Array
}

interface Edge {
  /** Full tiles left of this one. */
  index: number
  width: number
  readonly bytes: Uint8Array
}

/**
 * A Merkle tree that grows by one leaf at a time and keeps nothing but its right edge: one unfinished tile for each level.
 *
 * @see RFC 6962 section 2.1
 */
export class Tree {
  readonly #sha256: Sha256
  readonly #onFullTile: (tile: Tile) => void
  readonly #edges: Edge[] = []
  #size = 0

  /** `onFullTile` gets each tile once, when its last hash is known, tiles of lower levels first. */
  constructor(sha256: Sha256, onFullTile: (tile: Tile) => void) {
    this.#sha256 = sha256
    this.#onFullTile = onFullTile
  }

  /** Continues a tree of `size` entries from the unfinished tiles of its right edge, those of width 0 left out. Compare `root()` before you trust it. */
  static resume(sha256: Sha256, size: number, edge: readonly Tile[], onFullTile: (tile: Tile) => void): Tree {
    const tree = new Tree(sha256, onFullTile)
    tree.#size = size
    for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
      const bytes = new Uint8Array(tileWidth * hashBytes)
      const width = count % tileWidth
      const tile = edge.find((candidate) => candidate.level === level)
      if (width > 0) {
        if (!tile || tile.bytes.length < width * hashBytes) throw new RangeError(`the edge lacks hashes of level ${level}`)
        bytes.set(tile.bytes.subarray(0, width * hashBytes))
      }
      tree.#edges.push({ index: Math.floor(count / tileWidth), width, bytes })
    }
    return tree
  }

  get size(): number {
    return this.#size
  }

  append(leaf: Uint8Array): void {
    this.#size += 1
    this.#add(0, leaf)
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined
    // From the right: the smallest complete subtrees are joined first, as RFC 6962 splits at the largest power of two.
    for (const { bytes, width } of this.#edges) {
      for (let count = 1; count <= width; count *= 2) {
        if ((width & count) === 0) continue
        const first = width - (width % (count * 2))
        const subtree = runHash(this.#sha256, bytes, first, count)
        root = root ? nodeHash(this.#sha256, subtree, root) : subtree
      }
    }
    return root ?? emptyRoot(this.#sha256)
  }

  /** Copies of the unfinished tiles that are not empty. */
  edge(): Tile[] {
    const tiles: Tile[] = []
    for (const [level, { index, width, bytes }] of this.#edges.entries()) {
      if (width > 0) tiles.push({ level, index, width, bytes: bytes.slice(0, width * hashBytes) })
    }
    return tiles
  }

  #add(level: number, hash: Uint8Array): void {
    const edge = (this.#edges[level] ??= { index: 0, width: 0, bytes: new Uint8Array(tileWidth * hashBytes) })
    edge.bytes.set(hash, edge.width * hashBytes)
    edge.width += 1
    if (edge.width < tileWidth) return
    const { index } = edge
    this.#onFullTile({ level, index, width: tileWidth, bytes: edge.bytes.slice() })
    edge.index += 1
    edge.width = 0
    this.#add(level + 1, runHash(this.#sha256, edge.bytes, 0, tileWidth))
  }
}
