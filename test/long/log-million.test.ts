import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { prefix, runningArchive, shipUntil, verifyArchive } from '../fixtures/archived-log.ts'
import { writeThroughCrashes } from '../fixtures/log-crash.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { signerOf, temporaryFolder } from '../fixtures/log-folder.ts'
import { objectLockServer } from '../fixtures/object-lock-server.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

/** The archive is stopped and started anew after so many entries. */
const stopEvery = 250_000
const archivedWithinMs = 600_000

test('a million entries, written by processes that are killed one after the other, are there, are cosigned, and verify, then again from the archive alone [L1] [L4] [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const [log, keyFile] = [join(folder, 'log'), join(folder, 'key.pem')]
  const size = await writeThroughCrashes(log, keyFile, 1_000_000, 100_000)
  const signer = signerOf(readFileSync(keyFile, 'utf8'))
  await using witness = await runningWitness([logKeyText(signer)])
  const [standing] = await cosignFolder(log, signer, [witness])
  assert.equal(standing?.state, 'cosigns', standing?.problem)
  const policy = policyFor(signer, [witness.vkey])
  const verdict = await verifyUnder(policy, log)
  assert.ok(verdict.kind === 'verified', verdict.kind === 'fault' ? verdict.text : '')
  assert.deepEqual([verdict.size, verdict.cosigned?.size], [size, size])

  await using server = await objectLockServer()
  for (let until = stopEvery; until < size; until += stopEvery) await shipUntil(runningArchive(log, folder, signer, server).one, until, archivedWithinMs)
  const { one } = runningArchive(log, folder, signer, server)
  await shipUntil(one, () => one.state.size === size && server.keys().some((key) => key.startsWith(`${prefix}cosigned/`)), archivedWithinMs)
  rmSync(log, { recursive: true })
  const archived = await verifyArchive(server, signer, policy)
  assert.deepEqual(archived, { verdict, tampering: undefined })
})
