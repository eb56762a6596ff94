/** Whoever may write can lay a newer version over a locked one. It takes the old one from nobody who asks for it by its version. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { bundlePath } from '@sallyport/contract/log'
import { archivedCheckpointPath } from '../../packages/gateway/src/archive/archive-store.ts'
import { prefix, runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'

test('other versions laid over a bundle and a checkpoint are not what is read, and are told', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer({ pageKeys: 2 })
  await writeLog(join(folder, 'log'), signer, 0, 300)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 300)
  const client = new S3Client({ region: 'eu-central-1', endpoint: server.endpoint, forcePathStyle: true, credentials: server.users.gateway })
  t.after(() => client.destroy())
  const over = [bundlePath(0, 256), archivedCheckpointPath('checkpoints', 300)]
  for (const path of over) {
    for (let times = 0; times < 3; times += 1)
      await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: `${prefix}${path}`, Body: 'nothing happened' }))
    assert.equal(server.current(`${prefix}${path}`)?.toString(), 'nothing happened')
  }
  const { verdict, tampering } = await verifyArchive(server, signer)
  assert.ok(verdict.kind === 'verified' && verdict.size === 300)
  assert.deepEqual(
    tampering?.named.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
    over.toSorted().map((path) => ({ path, over: 'version' })),
  )
})
