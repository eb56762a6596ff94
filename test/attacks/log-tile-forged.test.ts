import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { leafHash } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { prove } from '../../packages/gateway/src/audit/prove.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { newSigner, publishedFile, rebuildTiles, replaceEntry, signCheckpoint, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

const size = 600

/** Another event in place of an entry, as well-formed as the true one. */
function lie(entry: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(entry).toString().replace('test.event', 'test.other'))
}

function forgeHash(file: string, at: number, hash: Uint8Array): void {
  const tile = readFileSync(file)
  tile.set(hash, at * 32)
  writeFileSync(file, tile)
}

test('an entry is exchanged together with its hash in the tile: the tiles above are not believed [L1]', async (t) => {
  // CVE-2026-56865: a client that starts from the tile above never notices.
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  const forged = replaceEntry(folder, 300, size, lie)
  forgeHash(publishedFile(folder, 0, 1, size), 300 - 256, leafHash(nodeLogCrypto.sha256, forged))

  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.equal(verdict.check, 'tile-altered')
  assert.deepEqual([verdict.index, verdict.lastIndex], [256, 511])
  assert.match(verdict.text, /entry from 256 to 511 was altered/)
  assert.equal((await prove(viewLogFolder(folder), 300, signer.key)).kind, 'refused')
})

test('an entry is exchanged together with every tile: the root is not the signed one [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 520)
  const kept = readFileSync(`${folder}/checkpoint`, 'utf8')
  await writeLog(folder, signer, 520, size)
  replaceEntry(folder, 590, size, lie)
  rebuildTiles(folder, size)

  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.deepEqual([verdict.check, verdict.index, verdict.lastIndex], ['tile-altered', 0, 599])
  // Whoever kept an earlier checkpoint knows more precisely where.
  const closer = await verifyAsOutsider(folder, signer, { earlier: [kept] })
  assert.ok(closer.kind === 'fault')
  assert.deepEqual([closer.index, closer.lastIndex], [520, 599])
  assert.equal((await prove(viewLogFolder(folder), 590, signer.key)).kind, 'refused')
})

test('a hash in a tile is altered and no entry: verification names the entry below it [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  forgeHash(publishedFile(folder, 0, 2, size), 599 - 512, new Uint8Array(32))
  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.deepEqual([verdict.check, verdict.index], ['entry-altered', 599])
})

test('a longer log with the same lie fails in the third level of tiles too [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const long = 66_000
  await writeLogInParts(folder, signer, long)
  assert.equal((await verifyAsOutsider(folder, signer, { hashesOnly: true })).kind, 'verified')
  replaceEntry(folder, 1000, long, lie)
  const tree = rebuildTiles(folder, long)
  assert.equal((await verifyAsOutsider(folder, signer, { hashesOnly: true })).kind, 'fault')
  // The same tree under the true key verifies: it is the signature that the attacker lacks.
  writeFileSync(`${folder}/checkpoint`, await signCheckpoint(signer, long, tree.root()))
  assert.equal((await verifyAsOutsider(folder, signer, { hashesOnly: true })).kind, 'verified')
})

async function writeLogInParts(folder: string, signer: ReturnType<typeof newSigner>, to: number): Promise<void> {
  for (let from = 0; from < to; from += 16_000) await writeLog(folder, signer, from, Math.min(to, from + 16_000))
}
