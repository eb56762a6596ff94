import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openArchive, prefix } from '../../../../test/fixtures/archived-log.ts'
import { objectLockServer } from '../../../../test/fixtures/object-lock-server.ts'
import { tellTampering } from './archive-commands.ts'
import { openArchiveAt } from './open-archive.ts'

test('an auditor opens an archive by its place, with the credentials of the environment', async () => {
  await using server = await objectLockServer()
  const own = await openArchive(server)
  await own.keep('tile/0/000', Buffer.from('tile'), Date.now() + 1e9)
  own.close()
  const env = {
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: server.users.gateway.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.users.gateway.secretAccessKey,
  }
  for (const place of [`s3://${server.bucket}/${prefix}`, `s3://${server.bucket}/${prefix.slice(0, -1)}`]) {
    const archive = await openArchiveAt(place, env)
    const names: string[] = []
    for await (const [name] of archive.list('tile/0/')) names.push(name)
    archive.close()
    assert.deepEqual(names, ['000'])
  }
  await assert.rejects(openArchiveAt(`s3://${server.bucket}/${prefix}`, {}), /AWS_REGION/)
  for (const place of ['s3://', 's3://bucket', 's3://bucket/', 's3://BUCKET/x', 's3://bucket/../x y'])
    await assert.rejects(openArchiveAt(place, env), /is not written s3:\/\/BUCKET\/PREFIX/, place)
  const thief = await openArchiveAt(`s3://${server.bucket}/${prefix}`, { ...env, AWS_SECRET_ACCESS_KEY: 'guessed' })
  await assert.rejects(thief.objection(), (error: Error) => /SignatureDoesNotMatch/.test(error.message) && !error.message.includes('guessed'))
  thief.close()
})

test('what was laid over an archive is told in a sentence for each kind', () => {
  const named = [1, 2, 3, 4].map((index) => ({ path: `tile/0/00${index}`, over: 'delete-marker' as const }))
  assert.deepEqual(tellTampering({ count: 7, named, falseCheckpoints: 2 }), [
    'somebody laid something over objects of the archive (7), which hides them from others and not from this: ' +
      'tile/0/001 (a delete marker), tile/0/002 (a delete marker), tile/0/003 (a delete marker), …',
    'somebody laid 2 checkpoints into the archive that the log did not sign',
  ])
  assert.deepEqual(tellTampering({ count: 0, named: [], falseCheckpoints: 0 }), [])
})
