/** Someone with every right in the bucket, the gateway's and its owner's, wants the log gone. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeleteObjectCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3'
import { runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'

test('what is in the archive is not deleted, and its lock is neither shortened nor lifted, whoever asks [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 300)
  for (const user of [server.users.gateway, server.users.owner]) {
    const client = new S3Client({ region: 'eu-central-1', endpoint: server.endpoint, forcePathStyle: true, credentials: user })
    t.after(() => client.destroy())
    for (const Key of server.keys()) {
      const of = { Bucket: server.bucket, Key, VersionId: server.versions(Key).at(-1)?.id }
      const denied = { name: 'AccessDenied' }
      await assert.rejects(client.send(new DeleteObjectCommand(of)), denied)
      const sooner = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 60_000) } as const
      await assert.rejects(client.send(new PutObjectRetentionCommand({ ...of, Retention: sooner })), denied)
      await assert.rejects(client.send(new PutObjectRetentionCommand({ ...of, Retention: {}, BypassGovernanceRetention: true })), denied)
    }
  }
  const { verdict, tampering } = await verifyArchive(server, signer)
  assert.equal(verdict.kind, 'verified')
  assert.equal(tampering, undefined)
})
