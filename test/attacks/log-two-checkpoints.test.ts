import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventNumber, newSigner, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'

test('the whole folder is put back to an older state: whoever kept a checkpoint sees from which entry on [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const older = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 300)
  cpSync(folder, older, { recursive: true })
  await writeLog(folder, signer, 300, 310)
  const kept = readFileSync(join(folder, 'checkpoint'), 'utf8')

  rmSync(folder, { recursive: true })
  cpSync(older, folder, { recursive: true })
  assert.equal((await verifyAsOutsider(folder, signer)).kind, 'verified') // it is genuine, only old
  const verdict = await verifyAsOutsider(folder, signer, { earlier: [kept] })
  assert.ok(verdict.kind === 'fault')
  assert.deepEqual([verdict.check, verdict.index, verdict.lastIndex], ['rolled-back', 300, 309])
})

for (const length of [310, 420]) {
  test(`after a rollback another history of ${length} entries is written with the true key: it does not continue the kept checkpoint [L1]`, async (t) => {
    const folder = temporaryFolder(t)
    const other = temporaryFolder(t)
    const signer = newSigner()
    await writeLog(folder, signer, 0, 300)
    cpSync(folder, other, { recursive: true })
    await writeLog(folder, signer, 300, 310)
    const kept = readFileSync(join(folder, 'checkpoint'), 'utf8')

    const { log } = await openLog(await openLogFolder(other), signer)
    await Promise.all(Array.from({ length: length - 300 }, (_, at) => log.append(eventNumber(1000 + at))))
    await log.close()
    assert.equal((await verifyAsOutsider(other, signer)).kind, 'verified')
    const verdict = await verifyAsOutsider(other, signer, { earlier: [kept] })
    assert.ok(verdict.kind === 'fault')
    assert.equal(verdict.check, 'history-rewritten')
    assert.match(verdict.text, /first 310 entries \(0 to 309\)/)

    // The honest continuation passes.
    await writeLog(folder, signer, 310, length + 1)
    assert.equal((await verifyAsOutsider(folder, signer, { earlier: [kept] })).kind, 'verified')
  })
}
