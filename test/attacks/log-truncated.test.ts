import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { decodeBundle, encodeBundle } from '@sallyport/contract/log'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { eventNumber, newSigner, publishedFile, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

const size = 600
type Signer = Parameters<typeof writeLog>[1]

/** Both must say the same: the outsider, and the gateway that is started on the folder. */
async function assertMissing(folder: string, signer: Signer, index: number): Promise<void> {
  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.deepEqual([verdict.check, verdict.index], ['entries-missing', index])
  await assert.rejects(
    openLogFolder(folder).then((files) => openLog(files, signer)),
    (error) => error instanceof Fault && error.message.includes(`entry ${index} is missing`),
  )
}

test('the newest entries are cut off below the checkpoint [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  rmSync(join(folder, 'journal'), { recursive: true })
  const file = publishedFile(folder, 'entries', 2, size)
  writeFileSync(file, encodeBundle(decodeBundle(readFileSync(file), 256).slice(0, -1)))
  await assertMissing(folder, signer, 599)
  writeFileSync(file, readFileSync(file).subarray(0, 100))
  await assertMissing(folder, signer, 512)
  rmSync(file)
  await assertMissing(folder, signer, 512)
})

test('a bundle in the middle is removed [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  rmSync(publishedFile(folder, 'entries', 1, size))
  await assertMissing(folder, signer, 256)
})

test('the tiles are removed [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  rmSync(publishedFile(folder, 0, 0, size))
  const verdict = await verifyAsOutsider(folder, signer)
  assert.ok(verdict.kind === 'fault')
  assert.deepEqual([verdict.check, verdict.index], ['tile-missing', 0])
})

test('a segment of the journal is removed from the middle [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(folder), signer, { checkpointIntervalMs: 1_000_000, segmentBytesMax: 1 })
  for (let number = 0; number < 5; number += 1) await log.append(eventNumber(number))
  const copy = temporaryFolder(t)
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') })
  await log.close()
  rmSync(join(copy, 'journal', `${'2'.padStart(16, '0')}.batches`))
  await assert.rejects(
    openLogFolder(copy).then((files) => openLog(files, signer)),
    (error) => error instanceof Fault && /entries 2 to 2 are missing/.test(error.message),
  )
})
