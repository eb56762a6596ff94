import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { Cosigning } from '../../packages/gateway/src/audit/cosigning.ts'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { witnessAt } from '../../packages/gateway/src/drivers/log-network/witness-at.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

test('where the cosigned checkpoint cannot be kept, the round fails and not the witness, and the next keeps it without asking again [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 20)
  await using witness = await runningWitness([logKeyText(signer)])
  const port = witnessAt(witness.key, witness.url)
  t.after(() => port.close())
  let submissions = 0
  let isFull = true
  const cosigning = new Cosigning({
    view: viewLogFolder(folder),
    key: signer.key,
    witnesses: [{ ...port, submit: (...shown) => ((submissions += 1), port.submit(...shown)) }],
    quorum: 1,
    keep: (note) => (isFull ? Promise.reject(new Fault('the disk is full', 'not-done')) : Promise.resolve(writeFileSync(join(folder, 'cosigned'), note))),
    now: Date.now,
    onChange: () => undefined,
  })
  for (let rounds = 0; rounds < 2; rounds += 1) await assert.rejects(cosigning.round(), /the disk is full/)
  assert.deepEqual([cosigning.standing[0]?.state, cosigning.keptSize, submissions], ['cosigns', 0, 1])
  isFull = false
  await cosigning.round()
  assert.deepEqual([cosigning.keptSize, submissions], [20, 1])
  assert.equal((await verifyUnder(policyFor(signer, [witness.vkey]), folder)).kind, 'verified')
})
