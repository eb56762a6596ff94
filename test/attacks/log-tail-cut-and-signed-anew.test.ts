import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { checkpointIn, cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { newSigner, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'

test('the last entries are cut off, and the rest is signed anew with the true key: the witness convicts the log, and so does who remembers it [L1] [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const cut = temporaryFolder(t)
  const signer = newSigner()
  await using witness = await runningWitness([logKeyText(signer)])
  const policy = policyFor(signer, [witness.vkey])
  await writeLog(folder, signer, 0, 300)
  cpSync(folder, cut, { recursive: true })
  await writeLog(folder, signer, 300, 310)
  await cosignFolder(folder, signer, [witness])
  assert.equal((await verifyUnder(policy, folder)).kind, 'verified')
  const remembered = checkpointIn(folder)

  // The key's signature alone is not enough to notice: the log is shorter and genuine.
  assert.equal((await verifyAsOutsider(cut, signer)).kind, 'verified')
  const withoutQuorum = await verifyUnder(policy, cut)
  assert.equal(withoutQuorum.kind === 'fault' && withoutQuorum.check, 'quorum-missing')
  const [standing] = await cosignFolder(cut, signer, [witness])
  assert.equal(standing?.state, 'conflict')
  assert.match(standing.problem ?? '', /cosigned 310 entries of this log, which has 300: the log was rolled back/)
  // The cosigned checkpoint of before, put beside the cut log, gives it away.
  cpSync(`${folder}/cosigned`, `${cut}/cosigned`)
  const withOldQuorum = await verifyUnder(policy, cut)
  assert.ok(withOldQuorum.kind === 'fault')
  assert.deepEqual([withOldQuorum.check, withOldQuorum.index, withOldQuorum.lastIndex], ['rolled-back', 300, 309])
  rmSync(`${cut}/cosigned`)
  const recalled = await verifyAsOutsider(cut, signer, { earlier: [remembered] })
  assert.ok(recalled.kind === 'fault')
  assert.deepEqual([recalled.check, recalled.index], ['rolled-back', 300])
})
