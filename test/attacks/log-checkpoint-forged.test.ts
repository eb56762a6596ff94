import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { toBase64 } from '@sallyport/contract/log'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { newSigner, rebuildTiles, replaceEntry, signCheckpoint, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

const size = 300

test('the log is rewritten and its checkpoint forged without the key: nobody accepts it [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  const path = join(folder, 'checkpoint')
  const genuine = readFileSync(path, 'utf8')
  replaceEntry(folder, 7, size, (entry) => Buffer.from(Buffer.from(entry).toString().replace('test.event', 'test.other')))
  const root = rebuildTiles(folder, size).root()

  const forgeries = {
    'the new root under the old signature': genuine.replace(/^(.*\n.*\n).*\n/, `$1${toBase64(root)}\n`),
    'signed by the attacker under the same name': await signCheckpoint(newSigner(), size, root),
    'the signature with the key id of the log': (await signCheckpoint(newSigner(), size, root)).replace(
      / [A-Za-z0-9+/]{6}/,
      genuine.match(/ [A-Za-z0-9+/]{6}(?=[A-Za-z0-9+/]{40})/)?.[0] ?? '',
    ),
    'not signed at all': genuine.split('\n\n')[0] ?? '',
    'both signatures': `${(await signCheckpoint(newSigner(), size, root)).trimEnd()}\n${genuine.split('\n\n')[1] ?? ''}`,
    'an empty file': '',
  }
  for (const [forgery, text] of Object.entries(forgeries)) {
    writeFileSync(path, text)
    const verdict = await verifyAsOutsider(folder, signer)
    assert.ok(verdict.kind === 'fault', forgery)
    assert.equal(verdict.check, 'checkpoint-untrusted', forgery)
    await assert.rejects(
      openLogFolder(folder).then((files) => openLog(files, signer)),
      (error) => error instanceof Fault && /checkpoint is not its own/.test(error.message),
      forgery,
    )
    assert.equal(readFileSync(path, 'utf8'), text, 'the evidence was overwritten')
  }

  writeFileSync(path, genuine) // back in place, it convicts the entries
  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.ok((verdict.index ?? 999) <= 7 && (verdict.lastIndex ?? 0) >= 7)
})

test('the checkpoint is removed: the gateway does not start a new history over the old entries [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size, { segmentBytesMax: 1000 })
  await writeLog(folder, signer, size, size + 1)
  rmSync(join(folder, 'checkpoint'))
  rmSync(join(folder, 'journal'), { recursive: true })
  await assert.rejects(
    openLogFolder(folder).then((files) => openLog(files, signer)),
    (error) => error instanceof Fault && /no checkpoint: it was removed/.test(error.message),
  )
  assert.equal((await verifyAsOutsider(folder, signer)).kind, 'fault')
})
