import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { writeThroughCrashes } from '../fixtures/log-crash.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { signerOf, temporaryFolder } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

test('a million entries, written by processes that are killed one after the other, are there, are cosigned, and verify [L1] [L4] [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const [log, keyFile] = [join(folder, 'log'), join(folder, 'key.pem')]
  const size = await writeThroughCrashes(log, keyFile, 1_000_000, 100_000)
  const signer = signerOf(readFileSync(keyFile, 'utf8'))
  await using witness = await runningWitness([logKeyText(signer)])
  const [standing] = await cosignFolder(log, signer, [witness])
  assert.equal(standing?.state, 'cosigns', standing?.problem)
  const verdict = await verifyUnder(policyFor(signer, [witness.vkey]), log)
  assert.ok(verdict.kind === 'verified', verdict.kind === 'fault' ? verdict.text : '')
  assert.deepEqual([verdict.size, verdict.cosigned?.size], [size, size])
})
