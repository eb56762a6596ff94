import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { disk, losses } from '../fixtures/volatile-disk.ts'

const { Cosigning } = await import('../../packages/gateway/src/audit/cosigning.ts')
const { logKeyText } = await import('../../packages/gateway/src/audit/log-key.ts')
const { writePrivateFile } = await import('../../packages/gateway/src/control/private-files.ts')
const { witnessAt } = await import('../../packages/gateway/src/drivers/log-network/witness-at.ts')
const { viewLogFolder } = await import('../../packages/gateway/src/drivers/posix-log/log-folder.ts')
const { cosignFolder, policyFor, verifyUnder } = await import('../fixtures/cosigned-log.ts')
const { newSigner, temporaryFolder, writeLog } = await import('../fixtures/log-folder.ts')
const { runningWitness } = await import('../fixtures/running-witness.ts')

for (const loss of losses) {
  test(`the power fails while a cosigned checkpoint is kept, and ${loss} is lost: there is the one before or the new one, and the next round keeps it [L5]`, async (t) => {
    const folder = temporaryFolder(t)
    const before = join(folder, 'before')
    const signer = newSigner()
    await using witness = await runningWitness([logKeyText(signer)])
    const policy = policyFor(signer, [witness.vkey])
    await writeLog(before, signer, 0, 10)
    await cosignFolder(before, signer, [witness])
    await writeLog(before, signer, 10, 20)
    const sizes = new Set<number>()
    for (let failAt = 1; ; failAt += 1) {
      const [here, after] = [join(folder, String(failAt)), join(folder, `${failAt}-after`)]
      cpSync(before, here, { recursive: true })
      mkdirSync(after)
      disk.watch(here, failAt, 'power cut')
      const port = witnessAt(witness.key, witness.url)
      const keep = (note: string): Promise<void> => writePrivateFile(here, 'cosigned', note)
      const ports = { view: viewLogFolder(here), key: signer.key, witnesses: [port], quorum: 1, keep, now: Date.now, onChange: () => undefined }
      await new Cosigning(ports).round().catch(() => undefined)
      const { calls } = disk
      disk.recoverInto(after, loss)
      const verdict = await verifyUnder(policy, after)
      assert.ok(verdict.kind === 'verified', `call ${failAt}: ${verdict.kind === 'fault' ? verdict.text : ''}`)
      sizes.add(verdict.cosigned?.size ?? 0)
      disk.goOn()
      const again = new Cosigning(ports)
      await again.resume()
      await again.round()
      port.close()
      const healed = await verifyUnder(policy, here)
      assert.equal(healed.kind === 'verified' && healed.cosigned?.size, 20)
      if (calls < failAt) break
    }
    disk.unwatch()
    assert.deepEqual(sizes, new Set([10, 20]))
  })
}
