import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { bundlePath, decodeBundle, equalBytes, hashBytes, leafHash, Tree, tilePath, tileWidth } from '@sallyport/contract/log'
import { logKeyText, nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { prove } from '../../packages/gateway/src/audit/prove.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { newSigner, publishedFile, replaceEntry, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

const { sha256 } = nodeLogCrypto
const size = 512

/** What verifiers did before CVE-2026-56865: the entry fits its hash in the tile, and the tiles above fit the root; that the two meet is not asked. */
async function trusts(folder: string, index: number, root: Uint8Array): Promise<boolean> {
  const view = viewLogFolder(folder)
  const bundle = Math.floor(index / tileWidth)
  const entries = decodeBundle((await view.tile(bundlePath(bundle, tileWidth))) ?? new Uint8Array(0), tileWidth)
  const leaves = await view.tile(tilePath({ level: 0, index: bundle, width: tileWidth }))
  const above = await view.tile(tilePath({ level: 1, index: 0, width: size / tileWidth }))
  const at = index % tileWidth
  const entry = entries[at]
  if (!entry || !leaves || !above || !equalBytes(leafHash(sha256, entry), leaves.subarray(at * hashBytes, (at + 1) * hashBytes))) return false
  const tree = new Tree(sha256, () => undefined)
  for (let tile = 0; tile < size / tileWidth; tile += 1) tree.append(above.subarray(tile * hashBytes, (tile + 1) * hashBytes))
  return equalBytes(tree.root(), root)
}

test('an entry and its hash in the tile are forged: verifiers that believe tiles accept it, ours names where it is, under a cosigned checkpoint too [L1] [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using witness = await runningWitness([logKeyText(signer)])
  const policy = policyFor(signer, [witness.vkey])
  await writeLog(folder, signer, 0, size)
  await cosignFolder(folder, signer, [witness])
  const honest = await verifyUnder(policy, folder)
  assert.ok(honest.kind === 'verified')
  const root = Buffer.from(honest.root, 'base64')
  assert.ok(await trusts(folder, 300, root))

  const forged = replaceEntry(folder, 300, size, (entry) => Buffer.from(Buffer.from(entry).toString().replace('test.event', 'test.other')))
  const file = publishedFile(folder, 0, 1, size)
  const tile = readFileSync(file)
  tile.set(leafHash(sha256, forged), (300 - 256) * hashBytes)
  writeFileSync(file, tile)
  assert.ok(await trusts(folder, 300, root), 'the attack itself does not work')

  for (const verdict of [await verifyAsOutsider(folder, signer), await verifyUnder(policy, folder)]) {
    assert.ok(verdict.kind === 'fault')
    assert.deepEqual([verdict.check, verdict.index, verdict.lastIndex], ['tile-altered', 256, 511])
  }
  assert.equal((await prove(viewLogFolder(folder), 300, policy)).kind, 'refused')
})
