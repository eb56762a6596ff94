/** A store that answers "kept" and loses, alters or unlocks what it was given: nothing may be removed here on its word. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundlePath, decodeBundle, encodeBundle, tilePath } from '@sallyport/contract/log'
import { lockRestMsMin } from '../../packages/gateway/src/archive/prove-pruning.ts'
import { prefix, proofToPrune, runningArchive, shipUntil } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'

const size = 768
const bundle = `${prefix}${bundlePath(1, 256)}`

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

test('other bytes, a lock that is gone or ends soon, a missing tile, a missing bundle: each alone refuses to prune', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 1000)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 1000)
  const proof = (nowMs?: number): ReturnType<typeof proofToPrune> => proofToPrune(join(folder, 'log'), signer, server, size, nowMs)
  const refusal = async (nowMs?: number): Promise<string> => {
    const refused = await proof(nowMs)
    return refused.kind === 'refused' ? refused.reason : assert.fail('it was proved')
  }
  const bytes = server.current(bundle) ?? Buffer.alloc(0)
  const lockedUntilMs = server.versions(bundle)[0]?.lockedUntilMs
  const entries = decodeBundle(bytes, 256)

  server.alter(bundle, { bytes: Buffer.from(encodeBundle(entries.with(3, Buffer.from('{}')))) })
  assert.match(await refusal(), /entry 259 was altered/)
  server.alter(bundle, { bytes, lockedUntilMs: undefined })
  assert.match(await refusal(), /entries\/001 in the archive is not locked/)
  server.alter(bundle, { lockedUntilMs: Date.now() + lockRestMsMin - 60_000 })
  assert.match(await refusal(), /entries\/001 in the archive is locked only until/)
  server.alter(bundle, { lockedUntilMs })
  assert.match(await refusal(Date.now() + 2555 * 86_400_000), /is locked only until/)
  assert.deepEqual(await proof(), { kind: 'proved', archivedSize: 1000 })
  server.lose(`${prefix}${tilePath({ level: 0, index: 2, width: 256 })}`)
  assert.match(await refusal(), /hash of entry 512 is missing/)
  server.lose(bundle)
  assert.match(await refusal(), /entry 256 is missing/)
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
