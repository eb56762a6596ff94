import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { proofText, parseProof } from './proof.ts'
import { bundlePath, bundleWidth, decodeBundle, encodeBundle, entryBytesMax, isCovered, parseTilePath, tilePath } from './tile.ts'

test('paths are those of tlog-tiles', () => {
  assert.equal(tilePath({ level: 0, index: 0, width: 256 }), 'tile/0/000')
  assert.equal(tilePath({ level: 3, index: 1_234_067, width: 256 }), 'tile/3/x001/x234/067')
  assert.equal(tilePath({ level: 1, index: 999, width: 255 }), 'tile/1/999.p/255')
  assert.equal(tilePath({ level: 1, index: 1000, width: 1 }), 'tile/1/x001/000.p/1')
  assert.equal(bundlePath(1_234_067, 8), 'tile/entries/x001/x234/067.p/8')
})

test('a path is read back, whatever it names, and has no other spelling', () => {
  const indexes = fc.oneof(fc.constantFrom(0, 255, 256, 257, 999, 1000, 999_999, 1_000_000, Number.MAX_SAFE_INTEGER), fc.nat())
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 63 }), indexes, fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      assert.deepEqual(parseTilePath(tilePath({ level, index, width })), { kind: 'tile', level, index, width })
      assert.deepEqual(parseTilePath(bundlePath(index, width)), { kind: 'entries', index, width })
    }),
  )
  const refused = [
    'tile/64/000',
    'tile/00/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/1000',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/001/000',
    'tile/0/x001/x234',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/../000',
    'tile/8/0/000x',
    'tile/data/000',
    'tile/entries/x000/000',
    `tile/0/${'x999/'.repeat(6)}999`,
    'checkpoint',
  ]
  for (const path of refused) assert.equal(parseTilePath(path), undefined, path)
})

test('a log covers what it has whole, around every border of tiles', () => {
  const covered = (path: string, size: number): boolean => isCovered(parseTilePath(path) ?? assert.fail(path), size)
  const borders = [
    ['tile/0/000.p/255', 255],
    ['tile/0/000', 256],
    ['tile/0/001.p/1', 257],
    ['tile/entries/000', 256],
    ['tile/1/000.p/1', 256],
    ['tile/1/000.p/255', 65_280],
    ['tile/0/255.p/255', 65_535],
    ['tile/1/000', 65_536],
    ['tile/2/000.p/1', 65_536],
    ['tile/0/256.p/1', 65_537],
    ['tile/entries/256.p/1', 65_537],
  ] as const
  for (const [path, size] of borders) assert.deepEqual([covered(path, size - 1), covered(path, size), covered(path, size + 1)], [false, true, true], path)
  // The largest there can be is not covered by a slip of its number.
  assert.equal(covered('tile/63/000.p/1', Number.MAX_SAFE_INTEGER), false)
})

test('widths follow the size', () => {
  assert.deepEqual(
    [0, 1, 255, 256, 257, 512].map((size) => [bundleWidth(0, size), bundleWidth(1, size)]),
    [
      [0, 0],
      [1, 0],
      [255, 0],
      [256, 0],
      [256, 1],
      [256, 256],
    ],
  )
})

test('bundles of any entries are read back; cut ones give what is whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
      const bundle = encodeBundle(entries)
      assert.deepEqual(
        decodeBundle(bundle, 256).map((entry) => Buffer.from(entry).toString('hex')),
        entries.map((entry) => Buffer.from(entry).toString('hex')),
      )
      if (bundle.length > 0) assert.equal(decodeBundle(bundle.subarray(0, -1), 256).length, entries.length - 1)
    }),
  )
  assert.equal(decodeBundle(encodeBundle([new Uint8Array(entryBytesMax)]), 1)[0]?.length, entryBytesMax)
  assert.throws(() => encodeBundle([new Uint8Array(entryBytesMax + 1)]), RangeError)
})

test('proof texts are those of tlog-proof, in one spelling', () => {
  const hash = new Uint8Array(32).fill(7)
  const base64 = Buffer.from(hash).toString('base64')
  const text = proofText({ index: 5, hashes: [hash, hash], checkpoint: 'test checkpoint\n' })
  assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 5\n${base64}\n${base64}\n\ntest checkpoint\n`)
  assert.deepEqual(parseProof(text), { index: 5, hashes: [hash, hash], checkpoint: 'test checkpoint\n' })
  assert.equal(parseProof(`c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\ncheckpoint\n`)?.index, 0)
  const refused = [
    text.replace('v1', 'v2'),
    text.replace('index 5', 'index 05'),
    text.replace('index 5\n', ''),
    text.replace(base64, base64.slice(4)),
    text.replace('wc=', 'wd='),
    text.replace('\n\n', '\n'),
    `c2sp.org/tlog-proof@v1\nextra ?\nindex 0\n\ncheckpoint\n`,
  ]
  for (const bad of refused) assert.equal(parseProof(bad), undefined, bad)
})
