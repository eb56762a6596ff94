import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { concatBytes, equalBytes } from './bytes.ts'
import { emptyRoot, leafHash, nodeHash, proveConsistency, proveInclusion, verifyConsistency, verifyInclusion, type HashReader } from './merkle.ts'
import { hashReader, tilePath, tileWidth } from './tile.ts'
import { Tree, type Tile } from './tree.ts'

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The definition of RFC 6962 section 2.1, word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return emptyRoot(sha256)
  if (leaves.length === 1) return only
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(sha256, naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)))
}

function leavesTo(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => leafHash(sha256, Buffer.from(`entry ${index}`)))
}

/** Reads subtrees of the leaves by the definition. */
function naiveReader(leaves: readonly Uint8Array[]): HashReader {
  return (height, index) => Promise.resolve(naiveRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)))
}

test('roots of the well-known eight leaves', () => {
  // The test vectors of certificate-transparency, used by every RFC 6962 implementation.
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  const tree = new Tree(sha256, () => {})
  assert.equal(hex(tree.root()), roots[0])
  for (const [at, input] of inputs.entries()) {
    tree.append(leafHash(sha256, Buffer.from(input, 'hex')))
    assert.equal(hex(tree.root()), roots[at + 1])
  }
})

test('a tree grown leaf by leaf, and one resumed from its edge, has the root of the definition at every size to 600', () => {
  const leaves = leavesTo(600)
  let tree = new Tree(sha256, () => {})
  for (let size = 0; size <= 600; size += 1) {
    assert.ok(equalBytes(tree.root(), naiveRoot(leaves.slice(0, size))), `size ${size}`)
    if (size % 7 === 0 || size === 256 || size === 512) tree = Tree.resume(sha256, size, tree.edge(), () => {})
    const leaf = leaves[size]
    if (leaf) tree.append(leaf)
  }
})

test('tiles of three levels hold the hashes that proofs are made of', async () => {
  const size = 66_000
  const leaves = leavesTo(size)
  const tiles = new Map<string, Uint8Array>()
  const keep = (tile: Tile): void => void tiles.set(tilePath(tile), tile.bytes)
  const tree = new Tree(sha256, keep)
  for (const leaf of leaves) tree.append(leaf)
  for (const tile of tree.edge()) keep(tile)
  const root = naiveRoot(leaves)
  assert.ok(equalBytes(tree.root(), root))
  assert.ok(tiles.has('tile/1/000') && tiles.has('tile/2/000.p/1') && tiles.has('tile/1/001.p/1') && tiles.has('tile/0/257.p/208'))
  const read = hashReader(sha256, size, async (address) => tiles.get(tilePath(address)) ?? assert.fail(tilePath(address)))
  for (const index of [0, 255, 256, 65_535, 65_536, 65_791, 65_999]) {
    const proof = await proveInclusion(sha256, read, index, size)
    const leaf = leaves[index] ?? assert.fail()
    assert.ok(verifyInclusion(sha256, leaf, index, size, proof, root), `index ${index}`)
    assert.ok(!verifyInclusion(sha256, leaf, index + 1, size, proof, root))
  }
  for (const oldSize of [1, 255, 256, 257, 65_536, 65_537, 65_999, size]) {
    const proof = await proveConsistency(sha256, read, oldSize, size)
    assert.ok(verifyConsistency(sha256, oldSize, naiveRoot(leaves.slice(0, oldSize)), size, root, proof), `old size ${oldSize}`)
  }
  assert.equal(tileWidth, 256)
})

test('every inclusion proof to size 64 verifies, and no other index, size, leaf, root or proof does', async () => {
  const leaves = leavesTo(65)
  for (let size = 1; size <= 64; size += 1) {
    const root = naiveRoot(leaves.slice(0, size))
    const read = naiveReader(leaves.slice(0, size))
    for (let index = 0; index < size; index += 1) {
      const leaf = leaves[index] ?? assert.fail()
      const proof = await proveInclusion(sha256, read, index, size)
      assert.ok(verifyInclusion(sha256, leaf, index, size, proof, root), `${index} of ${size}`)
      assert.ok(!verifyInclusion(sha256, leaves[index + 1] ?? assert.fail(), index, size, proof, root))
      assert.ok(!verifyInclusion(sha256, leaf, index, size, proof, leaf) || size === 1)
      assert.ok(!verifyInclusion(sha256, leaf, index, size, [...proof, leaf], root))
      assert.ok(!verifyInclusion(sha256, leaf, index, size, proof.slice(0, -1), root) || proof.length === 0)
      for (const other of [index - 1, index + 1, size]) assert.ok(!verifyInclusion(sha256, leaf, other, size, proof, root), `${other} of ${size}`)
    }
  }
  assert.ok(!verifyInclusion(sha256, leaves[0] ?? assert.fail(), 1, 1, [], leaves[0] ?? assert.fail()))
  assert.ok(!verifyInclusion(sha256, leaves[0] ?? assert.fail(), Number.NaN, 1, [], leaves[0] ?? assert.fail()))
})

test('every consistency proof to size 64 verifies, and no altered one does', async () => {
  const leaves = leavesTo(64)
  const roots = Array.from({ length: 65 }, (_, size) => naiveRoot(leaves.slice(0, size)))
  const rootAt = (size: number): Uint8Array => roots[size] ?? assert.fail()
  const wrong = sha256(concatBytes([rootAt(0)]))
  for (let size = 0; size <= 64; size += 1) {
    const read = naiveReader(leaves.slice(0, size))
    for (let oldSize = 0; oldSize <= size; oldSize += 1) {
      const proof = await proveConsistency(sha256, read, oldSize, size)
      const name = `${oldSize} to ${size}`
      assert.ok(verifyConsistency(sha256, oldSize, rootAt(oldSize), size, rootAt(size), proof), name)
      assert.ok(!verifyConsistency(sha256, oldSize, wrong, size, rootAt(size), proof), name)
      if (oldSize > 0) assert.ok(!verifyConsistency(sha256, oldSize, rootAt(oldSize), size, wrong, proof), name)
      assert.ok(!verifyConsistency(sha256, oldSize, rootAt(oldSize), size, rootAt(size), [...proof, wrong]), name)
      if (proof.length > 0) {
        assert.ok(!verifyConsistency(sha256, oldSize, rootAt(oldSize), size, rootAt(size), proof.slice(1)), name)
        assert.ok(!verifyConsistency(sha256, oldSize, rootAt(oldSize), size, rootAt(size), proof.with(0, wrong)), name)
      }
      if (oldSize < size) assert.ok(!verifyConsistency(sha256, size, rootAt(size), oldSize, rootAt(oldSize), proof), name)
    }
  }
})
