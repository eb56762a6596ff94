import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { cosignerKey, cosignerKeyText, noteText, openTrusted, parseNote, parsePolicy } from '@sallyport/contract/log'
import { logKeyText, nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { checkpointIn, cosignFolder, policyFor } from '../fixtures/cosigned-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const { sha256 } = nodeLogCrypto

test('one witness appears under two names to make a quorum of two: neither a policy nor the gateway takes it [L5]', async () => {
  await using witness = await runningWitness([])
  const double = cosignerKeyText(cosignerKey('witness.example/w2', witness.key.publicKey, sha256))
  const parsed = parsePolicy(Buffer.from(`witness a ${witness.vkey}\nwitness b ${double}\ngroup g all a b\nquorum g\n`), sha256)
  assert.deepEqual(parsed, { kind: 'refused', line: 2, reason: 'its key stands in the file already: one key has one voice' })

  await using whole = await wholeGateway()
  const { url } = witness
  await whole.configure(
    [],
    [],
    undefined,
    {},
    {
      log: {
        witnesses: [
          { vkey: witness.vkey, url },
          { vkey: double, url },
        ],
        quorum: 2,
      },
    },
  )
  const { code, stderr } = await operator(whole, ['validate'])
  assert.equal(code, 78)
  assert.match(stderr, /it has the key of witnesses\[0\]: one key has one voice/)
})

test('one witness signs a checkpoint twice, and under another name: it counts once [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 20)
  await using one = await runningWitness([logKeyText(signer)], 'witness.example/w1')
  await using two = await runningWitness([logKeyText(signer)], 'witness.example/w2')
  await cosignFolder(folder, signer, [one])
  const note = parseNote(checkpointIn(folder, 'cosigned')) ?? assert.fail()
  const lines = note.signatures.filter(({ name }) => name === one.name)
  const renamed = lines.map((line) => ({ ...line, name: two.name, keyId: cosignerKey(two.name, one.key.publicKey, sha256).keyId }))
  const text = noteText(note.body, [...note.signatures, ...lines, ...renamed])
  const opened = openTrusted(text, policyFor(signer, [one.vkey, two.vkey]), nodeLogCrypto)
  assert.ok(opened.kind === 'refused')
  assert.match(opened.reason, /only witness\.example\/w1 cosigned it/)
})

test('a copy of a witness, key and all, runs on another folder: what each cosigns contradicts the other for whoever compares [L5]', async (t) => {
  const [folder, fork] = [temporaryFolder(t), temporaryFolder(t)]
  const signer = newSigner()
  await using one = await runningWitness([logKeyText(signer)])
  await using copy = await runningWitness([logKeyText(signer)])
  await copy.stop()
  for (const file of ['witness.key', 'witness.vkey']) writeFileSync(`${copy.folder}/${file}`, readFileSync(`${one.folder}/${file}`))
  await copy.start()
  assert.equal(copy.vkey, one.vkey)
  await writeLog(folder, signer, 0, 20)
  await writeLog(fork, signer, 100, 120)
  await cosignFolder(folder, signer, [one])
  await cosignFolder(fork, signer, [copy])
  // This is what a stolen witness key can do. Both notes verify; together they are the proof.
  const policy = policyFor(signer, [one.vkey])
  const [mine, other] = [folder, fork].map((place) => openTrusted(checkpointIn(place, 'cosigned'), policy, nodeLogCrypto))
  assert.ok(mine?.kind === 'opened' && other?.kind === 'opened')
  assert.equal(mine.checkpoint.size, other.checkpoint.size)
  assert.notDeepEqual(mine.checkpoint.root, other.checkpoint.root)
})
