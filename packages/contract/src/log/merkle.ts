import { equalBytes, hashBytes } from './bytes.ts'
import type { Sha256 } from './log-crypto.ts'

/** @see RFC 6962 section 2.1: leaves and nodes are hashed with different prefixes, so that neither can pass for the other. */
const leafPrefix = 0x00
const nodePrefix = 0x01

export function leafHash(sha256: Sha256, entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length)
  input[0] = leafPrefix
  input.set(entry, 1)
  return sha256(input)
}

const nodeInput = new Uint8Array(1 + 2 * hashBytes)

export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput[0] = nodePrefix
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return sha256(nodeInput)
}

/** The root of the empty tree. */
export function emptyRoot(sha256: Sha256): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** Gives the hash of a complete subtree: the `index`-th of those over 2^`height` entries. */
export type HashReader = (height: number, index: number) => Promise<Uint8Array>

/**
 * The hashes that lead from entry `index` to the root of the first `size` entries.
 *
 * @see RFC 6962 section 2.1.1
 */
export async function proveInclusion(sha256: Sha256, read: HashReader, index: number, size: number): Promise<Uint8Array[]> {
  if (!(index >= 0 && index < size)) throw new RangeError(`no entry ${index} among ${size}`)
  const proof: Uint8Array[] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const split = from + largestPowerBelow(to - from)
    if (index < split) {
      proof.push(await rangeHash(sha256, read, split, to))
      to = split
    } else {
      proof.push(await rangeHash(sha256, read, from, split))
      from = split
    }
  }
  return proof.reverse()
}

/**
 * The hashes that show that the first `oldSize` of `newSize` entries are what they were.
 *
 * @see RFC 6962 section 2.1.2
 */
export async function proveConsistency(sha256: Sha256, read: HashReader, oldSize: number, newSize: number): Promise<Uint8Array[]> {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw new RangeError(`${newSize} entries are fewer than ${oldSize}`)
  if (oldSize === 0 || oldSize === newSize) return []
  const proof: Uint8Array[] = []
  let from = 0
  let to = newSize
  let isWholeOldTree = true
  while (to > oldSize) {
    const split = from + largestPowerBelow(to - from)
    if (oldSize <= split) {
      proof.push(await rangeHash(sha256, read, split, to))
      to = split
    } else {
      proof.push(await rangeHash(sha256, read, from, split))
      from = split
      isWholeOldTree = false
    }
  }
  if (!isWholeOldTree) proof.push(await rangeHash(sha256, read, from, to))
  return proof.reverse()
}

/**
 * True when `proof` leads from `leaf` at `index` to `root` over `size` entries.
 *
 * @see RFC 9162 section 2.1.3.2
 */
export function verifyInclusion(sha256: Sha256, leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return false
  let hash = leaf
  let position = index
  let last = size - 1
  for (const sibling of proof) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sha256, sibling, hash)
      while (position % 2 === 0 && position > 0) {
        position = position / 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(sha256, hash, sibling)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalBytes(hash, root)
}

/**
 * True when `proof` shows that the tree of `newSize` with `newRoot` continues the tree of `oldSize` with `oldRoot`.
 *
 * An empty old tree is continued by every tree, with an empty proof; its root must be that of the empty tree.
 *
 * @see RFC 9162 section 2.1.4.2
 */
export function verifyConsistency(
  sha256: Sha256,
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!(Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 0 && oldSize <= newSize)) return false
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, emptyRoot(sha256))
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot)

  let position = oldSize - 1
  let last = newSize - 1
  while (position % 2 === 1) {
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  const [first, ...rest] = position === 0 ? [oldRoot, ...proof] : proof
  if (!first) return false
  let oldHash = first
  let newHash = first
  for (const sibling of rest) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sha256, sibling, oldHash)
      newHash = nodeHash(sha256, sibling, newHash)
      while (position % 2 === 0 && position > 0) {
        position = position / 2
        last = Math.floor(last / 2)
      }
    } else {
      newHash = nodeHash(sha256, newHash, sibling)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot)
}

/** The hash of the entries from `from` to before `to`, a range as the recursion of RFC 6962 meets it: starting at a multiple of its complete part. */
async function rangeHash(sha256: Sha256, read: HashReader, from: number, to: number): Promise<Uint8Array> {
  const length = to - from
  const height = Math.log2(length)
  if (Number.isInteger(height)) return read(height, from / length)
  const split = from + largestPowerBelow(length)
  return nodeHash(sha256, await rangeHash(sha256, read, from, split), await rangeHash(sha256, read, split, to))
}

/** The largest power of two that is smaller than `length`. */
function largestPowerBelow(length: number): number {
  let power = 1
  while (power * 2 < length) power *= 2
  return power
}
