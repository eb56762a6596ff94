import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  decodeBundle,
  hashReader,
  nodeHash,
  proveConsistency,
  proveInclusion,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyLog,
  type TileAddress,
} from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { ServedLog } from '../../packages/gateway/src/audit/served-log.ts'
import { listenForReaders } from '../../packages/gateway/src/control/log-readers/listen-for-readers.ts'
import { readLogAt } from '../../packages/gateway/src/drivers/log-network/read-log.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { layLog, newSigner, signCheckpoint, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

async function serve(t: TestContext, folder: string, signer: ReturnType<typeof newSigner>): Promise<{ url: string; faults: unknown[] }> {
  const faults: unknown[] = []
  const log = new ServedLog(viewLogFolder(folder), signer.key, false)
  const { port, close } = await listenForReaders(
    { host: '127.0.0.1', port: 0 },
    { log, names: ['log.example'], observe: () => undefined, report: (fault) => faults.push(fault) },
  )
  t.after(close)
  return { url: `http://127.0.0.1:${port}`, faults }
}

function get(url: string, path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request({ hostname, port, path, method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('at every border of tiles an outsider verifies the log over HTTP, and finds what the checkpoint covers and nothing else [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  let size = 0
  let earlier: string | undefined
  for (const next of [255, 256, 257]) {
    await writeLog(folder, signer, size, next)
    size = next
    const { url } = await serve(t, folder, signer)
    const reader = readLogAt(url)
    t.after(() => reader.close())
    const verdict = await verifyLog(reader, signer.key, nodeLogCrypto, { earlier: earlier === undefined ? [] : [earlier] })
    assert.equal(verdict.kind === 'verified' && verdict.size, size, verdict.kind === 'fault' ? verdict.text : '')
    earlier = await reader.checkpoint()

    const full = Math.floor(size / tileWidth)
    const width = size % tileWidth
    const status = async (path: string): Promise<number> => (await get(url, path)).status
    for (const kind of ['0', 'entries']) {
      if (full > 0) assert.equal(await status(`/tile/${kind}/000`), 200)
      assert.equal(await status(`/tile/${kind}/00${full}`), 404)
      assert.equal(await status(`/tile/${kind}/00${full}.p/${width + 1}`), 404)
      if (width > 0) assert.equal(await status(`/tile/${kind}/00${full}.p/${width}`), 200)
      assert.equal(await status(`/tile/${kind}/00${full + 1}.p/1`), 404)
    }
    assert.equal(await status('/tile/1/000.p/1'), full > 0 ? 200 : 404)
    assert.equal(await status('/tile/1/000.p/2'), 404)
    assert.equal(await status('/tile/2/000.p/1'), 404)
  }
})

test('partial files have their exact width, for every checkpoint there was', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 10)
  await writeLog(folder, signer, 10, 300)
  const { url } = await serve(t, folder, signer)
  for (const width of [1, 10, 43]) {
    const tile = await get(url, `/tile/0/001.p/${width}`)
    const bundle = await get(url, `/tile/entries/001.p/${width}`)
    assert.equal(tile.body.length, width * 32)
    const entries = decodeBundle(bundle.body, tileWidth)
    assert.equal(entries.length, width)
    assert.equal(
      bundle.body.length,
      entries.reduce((sum, { length }) => sum + 2 + length, 0),
    )
  }
  // Of a bundle that is full by now, too.
  assert.equal(decodeBundle((await get(url, '/tile/entries/000.p/10')).body, tileWidth).length, 10)
})

test('an outsider makes proofs out of the tiles, across the borders of three levels [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await layLog(folder, signer, 65_537)
  const { url } = await serve(t, folder, signer)
  const reader = readLogAt(url)
  t.after(() => reader.close())
  const { sha256 } = nodeLogCrypto
  const fetched = new Map<string, Promise<Uint8Array | undefined>>()
  const readTile = async (address: TileAddress): Promise<Uint8Array> => {
    const path = tilePath(address)
    const tile = fetched.get(path) ?? reader.tile(path)
    fetched.set(path, tile)
    return (await tile) ?? assert.fail(path)
  }
  const rootOf = async (size: number): Promise<Uint8Array> => {
    // From tiles of the exact widths of a checkpoint of that size: what is served for older sizes stays right.
    const read = hashReader(sha256, size, readTile)
    const proof = await proveInclusion(sha256, read, size - 1, size)
    const leaf = await read(0, size - 1)
    return proof.reduce((hash, sibling) => nodeHash(sha256, sibling, hash), leaf) // the last entry is on the right of all that it meets
  }
  const sizes = [255, 256, 257, 65_535, 65_536, 65_537]
  const roots = new Map(await Promise.all(sizes.map(async (size) => [size, await rootOf(size)] as const)))
  for (const [at, oldSize] of sizes.entries()) {
    for (const newSize of sizes.slice(at)) {
      const read = hashReader(sha256, newSize, readTile)
      const proof = await proveConsistency(sha256, read, oldSize, newSize)
      const [oldRoot, newRoot] = [roots.get(oldSize) ?? assert.fail(), roots.get(newSize) ?? assert.fail()]
      assert.ok(verifyConsistency(sha256, oldSize, oldRoot, newSize, newRoot, proof), `${oldSize} to ${newSize}`)
    }
  }
})

test('the headers are those of tlog-tiles, and bundles are compressed for who takes them so', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 300)
  const { url } = await serve(t, folder, signer)
  const checkpoint = await get(url, '/checkpoint')
  assert.deepEqual([checkpoint.headers['content-type'], checkpoint.headers['cache-control']], ['text/plain; charset=utf-8', 'no-cache'])
  const tile = await get(url, '/tile/0/000')
  assert.deepEqual([tile.headers['content-type'], tile.headers['cache-control']], ['application/octet-stream', 'max-age=31536000, immutable'])
  assert.equal(tile.body.length, 8192)
  assert.equal((await get(url, '/tile/0/002')).headers['cache-control'], 'no-store')
  const plain = await get(url, '/tile/entries/000')
  const zipped = await get(url, '/tile/entries/000', { headers: { 'accept-encoding': 'br, gzip' } })
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(zipped.body), plain.body)
  assert.equal((await get(url, '/tile/entries/000', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined)
  const head = await get(url, '/tile/0/000', { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '8192', 0])
})

test('nothing but GET and HEAD of the files of the log is served', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 300)
  const { url } = await serve(t, folder, signer)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const refused = await get(url, '/checkpoint', { method })
    assert.deepEqual([refused.status, refused.headers['allow']], [405, 'GET, HEAD'], method)
  }
  const others = [
    '/',
    '/lock',
    '/journal',
    '/cosigned',
    '/checkpoint?x=1',
    '/checkpoint/',
    '//checkpoint',
    '/tile/0/../../checkpoint',
    '/tile/0/000.new',
    '/..%2flog.key',
  ]
  for (const path of [...others, `http://127.0.0.1/checkpoint`]) assert.equal((await get(url, path)).status, 404, path)
})

test('a checkpoint that the log did not sign is not served, nor what it would cover', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 10)
  const { url, faults } = await serve(t, folder, signer)
  await writeFile(`${folder}/checkpoint`, await signCheckpoint(newSigner(), 20, new Uint8Array(32)))
  assert.equal((await get(url, '/checkpoint')).status, 500)
  assert.equal((await get(url, '/tile/0/000.p/20')).status, 500)
  assert.equal(faults.length, 2)
  assert.match(String(faults[0]), /not its own/)
})
