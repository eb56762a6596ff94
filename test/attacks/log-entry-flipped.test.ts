import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { prove } from '../../packages/gateway/src/audit/prove.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { newSigner, publishedFile, replaceEntry, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

const size = 600

for (const index of [0, 255, 256, 599]) {
  test(`one bit of entry ${index} is flipped: verification names the entry, no proof is made, and the gateway does not start on it [L1]`, async (t) => {
    const folder = temporaryFolder(t)
    const signer = newSigner()
    await writeLog(folder, signer, 0, size)
    assert.equal((await verifyAsOutsider(folder, signer)).kind, 'verified')

    replaceEntry(folder, index, size, (entry) => entry.with(40, (entry[40] ?? 0) ^ 1))
    const forged = readFileSync(publishedFile(folder, 'entries', Math.floor(index / 256), size))

    const verdict = await verifyAsOutsider(folder, signer)
    assert.ok(verdict.kind === 'fault')
    assert.equal(verdict.check, 'entry-altered')
    assert.equal(verdict.index, index)
    assert.match(verdict.text, new RegExp(`entry ${index} was altered`))

    const proving = await prove(viewLogFolder(folder), index, signer.key)
    assert.equal(proving.kind, 'refused')
    assert.equal((await prove(viewLogFolder(folder), 300, signer.key)).kind, 'proved')

    await assert.rejects(
      openLogFolder(folder).then((files) => openLog(files, signer)),
      (error) => error instanceof Fault && error.message.includes(`entry ${index} was altered`),
    )
    assert.deepEqual(readFileSync(publishedFile(folder, 'entries', Math.floor(index / 256), size)), forged) // the evidence stays
  })
}
