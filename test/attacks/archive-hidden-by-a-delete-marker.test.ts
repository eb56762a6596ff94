/** A DELETE without a version removes nothing under Object Lock, and lays a marker over it: everyone who asks for the object gets 404. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'
import { tamperedNamedMax } from '../../packages/gateway/src/archive/archive-reader.ts'

test('a log whose every object has a delete marker over it is read, verified and said to be tampered with', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer({ pageKeys: 5 })
  await writeLog(join(folder, 'log'), signer, 0, 600)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 600)
  const client = new S3Client({ region: 'eu-central-1', endpoint: server.endpoint, forcePathStyle: true, credentials: server.users.owner })
  t.after(() => client.destroy())
  const keys = server.keys()
  for (const Key of keys) await client.send(new DeleteObjectCommand({ Bucket: server.bucket, Key }))
  assert.ok(
    keys.every((key) => server.current(key) === undefined),
    'for everyone else they are gone',
  )

  const { verdict, tampering } = await verifyArchive(server, signer)
  assert.ok(verdict.kind === 'verified' && verdict.size === 600)
  assert.equal(tampering?.count, keys.length)
  assert.ok(tampering.named.length <= tamperedNamedMax && tampering.named.every(({ over }) => over === 'delete-marker'))
})
