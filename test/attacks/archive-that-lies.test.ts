/** A store that answers "kept" and loses, alters or unlocks what it was given: nothing may be removed here on its word. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundlePath, decodeBundle, encodeBundle, tilePath } from '@sallyport/contract/log'
import { lockRestMsMin } from '../../packages/gateway/src/archive/prove-pruning.ts'
import { prefix, proofToPrune, runningArchive, shipUntil } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer, type ObjectLockServer } from '../fixtures/object-lock-server.ts'

const size = 768
const bundle = `${prefix}${bundlePath(1, 256)}`

async function refusal(t: test.TestContext, harm: (server: ObjectLockServer) => void, nowMs?: number): Promise<string> {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 1000)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 1000)
  assert.deepEqual(await proofToPrune(join(folder, 'log'), signer, server, size), { kind: 'proved', archivedSize: 1000 })
  harm(server)
  const proof = await proofToPrune(join(folder, 'log'), signer, server, size, nowMs)
  return proof.kind === 'refused' ? proof.reason : assert.fail('it was proved')
}

test('a store that answers 200 and keeps nothing proves nothing', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 1000)
  server.mode = 'lying'
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 1000)
  server.mode = 'well'
  const proof = await proofToPrune(join(folder, 'log'), signer, server, size)
  assert.ok(proof.kind === 'refused' && /has no checkpoint/.test(proof.reason))
})

test('a missing bundle, a missing tile, other bytes, a lock that is gone or ends soon: each alone refuses to prune', async (t) => {
  assert.match(await refusal(t, (server) => server.lose(bundle)), /entry 256 is missing/)
  assert.match(await refusal(t, (server) => server.lose(`${prefix}${tilePath({ level: 0, index: 2, width: 256 })}`)), /hash of entry 512 is missing/)
  const alter = (server: ObjectLockServer): void => {
    const entries = decodeBundle(server.current(bundle) ?? Buffer.alloc(0), 256)
    server.alter(bundle, { bytes: Buffer.from(encodeBundle(entries.with(3, Buffer.from('{}')))) })
  }
  assert.match(await refusal(t, alter), /entry 259 was altered/)
  assert.match(await refusal(t, (server) => server.alter(bundle, { lockedUntilMs: undefined })), /entries\/001 in the archive is not locked/)
  const soon = Date.now() + lockRestMsMin - 60_000
  assert.match(await refusal(t, (server) => server.alter(bundle, { lockedUntilMs: soon })), /entries\/001 in the archive is locked only until/)
  assert.match(await refusal(t, () => undefined, Date.now() + 2555 * 86_400_000), /is locked only until/)
})

test('an archive that has less than what shall go refuses to prune', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 500)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 500)
  await writeLog(join(folder, 'log'), signer, 500, 1000)
  const proof = await proofToPrune(join(folder, 'log'), signer, server, size)
  assert.ok(proof.kind === 'refused' && /has 500 entries/.test(proof.reason))
})
