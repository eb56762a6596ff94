import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noteText, openTrusted, parseNote } from '@sallyport/contract/log'
import { ed25519Signer, logKeyText, nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { checkpointIn, cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { origin, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'

test('a cosignature is taken from another log, another origin of the same key, or another checkpoint: it counts for none of them [L5]', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const journalKey = createSecretKey(randomBytes(32))
  const [mine, other] = [origin, 'gateway.example/other'].map((name) => ed25519Signer({ privateKey, origin: name }, journalKey))
  assert.ok(mine && other)
  const [folder, otherFolder] = [temporaryFolder(t), temporaryFolder(t)]
  // The same entries, so the same size and root, under two names.
  await writeLog(folder, mine, 0, 20)
  await writeLog(otherFolder, other, 0, 20)
  await using witness = await runningWitness([logKeyText(other)])
  await cosignFolder(otherFolder, other, [witness])
  const policy = policyFor(mine, [witness.vkey])
  const own = parseNote(checkpointIn(folder)) ?? assert.fail()
  const stolen = (parseNote(checkpointIn(otherFolder, 'cosigned'))?.signatures ?? []).filter(({ name }) => name === witness.name)
  assert.equal(stolen.length, 1)

  const spliced = noteText(own.body, [...own.signatures, ...stolen])
  const opened = openTrusted(spliced, policy, nodeLogCrypto)
  assert.ok(opened.kind === 'refused')
  assert.match(opened.reason, /the cosignature of witness\.example\/w1 .* does not fit the text/)
  writeFileSync(join(folder, 'cosigned'), spliced)
  assert.equal((await verifyUnder(policy, folder)).kind, 'fault')
  writeFileSync(join(folder, 'cosigned'), checkpointIn(otherFolder, 'cosigned'))
  const whole = await verifyUnder(policy, folder)
  assert.ok(whole.kind === 'fault')
  assert.match(whole.text, /the policy does not know the log gateway\.example\/other/)
  // For those who ask no witness the log is what it was.
  assert.equal((await verifyAsOutsider(folder, mine)).kind, 'verified')
})

test('the time of a cosignature is changed, so that an old one looks new: it does not fit the text any more [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = ed25519Signer({ privateKey: generateKeyPairSync('ed25519').privateKey, origin }, createSecretKey(randomBytes(32)))
  await writeLog(folder, signer, 0, 20)
  await using witness = await runningWitness([logKeyText(signer)])
  await cosignFolder(folder, signer, [witness])
  const note = parseNote(checkpointIn(folder, 'cosigned')) ?? assert.fail()
  const fresher = note.signatures.map((line) => {
    if (line.name !== witness.name) return line
    const signature = Buffer.from(line.signature)
    signature.writeBigUInt64BE(signature.readBigUInt64BE() + 3600n)
    return { ...line, signature }
  })
  assert.equal(openTrusted(noteText(note.body, fresher), policyFor(signer, [witness.vkey]), nodeLogCrypto).kind, 'refused')
})
