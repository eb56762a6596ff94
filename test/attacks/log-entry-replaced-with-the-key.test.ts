import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkpointIn, cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { newSigner, rebuildTiles, replaceEntry, signCheckpoint, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'

test('an entry is replaced, the tiles are recomputed and the root is signed with the stolen key: witnesses and memories still convict it [L1] [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const forged = temporaryFolder(t)
  const signer = newSigner()
  await using witness = await runningWitness([logKeyText(signer)])
  const policy = policyFor(signer, [witness.vkey])
  await writeLog(folder, signer, 0, 600)
  await cosignFolder(folder, signer, [witness])
  cpSync(folder, forged, { recursive: true })
  replaceEntry(forged, 300, 600, (entry) => Buffer.from(Buffer.from(entry).toString().replace('test.event', 'test.other')))
  const tree = rebuildTiles(forged, 600)
  writeFileSync(join(forged, 'checkpoint'), await signCheckpoint(signer, 600, tree.root()))

  assert.equal((await verifyAsOutsider(forged, signer)).kind, 'verified') // who trusts the key alone believes it
  const underPolicy = await verifyUnder(policy, forged)
  assert.ok(underPolicy.kind === 'fault')
  assert.equal(underPolicy.check, 'history-rewritten')
  assert.match(underPolicy.text, /first 600 entries \(0 to 599\) are not those of the checkpoint that its witnesses cosigned/)
  const recalled = await verifyAsOutsider(forged, signer, { earlier: [checkpointIn(folder)] })
  assert.equal(recalled.kind === 'fault' && recalled.check, 'history-rewritten')
  const [standing] = await cosignFolder(forged, signer, [witness])
  assert.equal(standing?.state, 'conflict')
  assert.equal(witness.told[0]?.event, 'log.forked')
})
