import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { archiveSection } from '../fixtures/archived-log.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'
import { spawnGateway, wholeGateway } from '../fixtures/whole-gateway.ts'

test('the AWS SDK is loaded by a gateway with an archive, and by no other', async () => {
  await using server = await objectLockServer()
  await using whole = await wholeGateway()
  const hook = join(import.meta.dirname, '../fixtures/watched-program.ts')
  const noted = join(whole.folder, 'noted')
  const { archive } = JSON.parse(JSON.stringify(archiveSection(server)))
  const withoutSecret = { ...archive, s3: { ...archive.s3, accessKeyId: undefined, secret: undefined } }
  for (const [log, isLoaded] of [[{}, false] as const, [{ archive: withoutSecret }, true] as const]) {
    await whole.configure([], [], '127.0.0.1:0', {}, { log, exports: { lines: { format: 'jsonl', to: join(whole.folder, 'out.jsonl') } } })
    await using _ = await spawnGateway(whole, ['env', `NODE_OPTIONS=--import=${hook}`, `NOTE_TO=${noted}`, 'AWS_EC2_METADATA_DISABLED=true'])
    // The export proves that the thread is at work.
    while (!existsSync(join(whole.folder, 'out.jsonl')) || (isLoaded && !existsSync(noted))) await wait(20)
    assert.equal(existsSync(noted), isLoaded)
  }
})
