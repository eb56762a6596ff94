/** Keys are known beforehand, so whoever may write can lay an object, locked for years, where the log will want its own. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundlePath } from '@sallyport/contract/log'
import { openArchive, prefix, runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'

test('an object that was there first is an alarm: nothing replaces it, and no checkpoint is kept over it', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  const archive = await openArchive(server)
  await archive.keep(bundlePath(1, 256), Buffer.from('mine'), Date.now() + 1e9)
  archive.close()
  await writeLog(join(folder, 'log'), signer, 0, 600)
  const { one, noted, reported } = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(one, () => one.state.failures > 0)
  assert.equal(one.state.conflict, bundlePath(1, 256))
  assert.ok(noted.some(({ act, subject }) => act === 'archive.conflict' && 'path' in subject && subject.path === bundlePath(1, 256)))
  assert.match(reported.join(), /ALARM/)
  assert.equal(server.current(`${prefix}${bundlePath(1, 256)}`)?.toString(), 'mine')
  assert.ok(server.keys().every((key) => !key.includes('checkpoints/')))
  const { verdict } = await verifyArchive(server, signer)
  assert.equal(verdict.kind, 'fault')
})

test('the same bytes that nobody locked are an alarm too: whoever laid them can take them away', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  await shipUntil(runningArchive(join(folder, 'log'), join(folder, 'one'), signer, server).one, 300)
  server.alter(`${prefix}${bundlePath(0, 256)}`, { lockedUntilMs: undefined })
  const { one } = runningArchive(join(folder, 'log'), join(folder, 'other'), signer, server)
  await shipUntil(one, () => one.state.failures > 0)
  assert.equal(one.state.conflict, bundlePath(0, 256))
})
