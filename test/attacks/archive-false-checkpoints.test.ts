/** Whoever may write lays checkpoints into the archive that are larger than every true one, so that the newest is one of theirs. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { checkpointsTriedMax } from '../../packages/gateway/src/archive/archive-reader.ts'
import { archivedCheckpointPath } from '../../packages/gateway/src/archive/archive-store.ts'
import { openArchive, prefix, runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'
import { SmallLog } from '../fixtures/small-log.ts'

test('a checkpoint that the log did not sign, or that stands under another size, is passed over and told', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 300)
  const client = new S3Client({ region: 'eu-central-1', endpoint: server.endpoint, forcePathStyle: true, credentials: server.users.gateway })
  t.after(() => client.destroy())
  const put = (size: number, Body: string): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: server.bucket, Key: `${prefix}${archivedCheckpointPath('checkpoints', size)}`, Body }))
  const own = server.current(`${prefix}${archivedCheckpointPath('checkpoints', 300)}`)?.toString() ?? ''
  await put(400, new SmallLog(signer.key.name).grow(400).checkpoint())
  await put(500, own)
  await put(Number.MAX_SAFE_INTEGER, 'junk')
  const { verdict, tampering } = await verifyArchive(server, signer)
  assert.ok(verdict.kind === 'verified' && verdict.size === 300)
  assert.deepEqual(tampering, { count: 0, named: [], falseCheckpoints: 3 })
})

test('more false checkpoints than are tried end in a refusal, never in a smaller log', async () => {
  await using server = await objectLockServer()
  const archive = await openArchive(server)
  let asked = 0
  const flooded: typeof archive = {
    ...archive,
    list: async function* () {
      for (let at = 0; at < 3 * checkpointsTriedMax; at += 1) yield [String(at).padStart(16, '0'), { version: 'v', over: 'nothing' }] as const
    },
    read: async () => {
      asked += 1
      return { bytes: Buffer.from('junk'), lockedUntilMs: undefined }
    },
  }
  const { ArchiveReader } = await import('../../packages/gateway/src/archive/archive-reader.ts')
  await assert.rejects(new ArchiveReader(flooded, { sizeOf: () => undefined, inOrder: false }).checkpoint(), /signed none of the 1000/)
  assert.equal(asked, checkpointsTriedMax)
  archive.close()
})
