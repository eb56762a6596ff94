// Someone who can write the data folder puts the arguments of a harmless call in the place of those of another, name and all.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { cited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'

const sealedKeyBytes = 71

test('sealed arguments open for their own entry alone, with the whole file swapped, or the key, or the ciphertext', async () => {
  await using whole = await startedCapturing()
  for (const amount of [1, 9_000_000]) assert.equal(await refund(whole, { amount }), '200')
  const [harmless, other] = await cited(whole)
  assert.ok(harmless && other)
  const files = await payloadFiles(whole)
  const [from = '', to = ''] = [harmless, other].map(({ digest }) => files.find((file) => file.includes(digest)) ?? '')
  const [own, foreign] = [await readFile(to), await readFile(from)]
  const swaps = {
    file: foreign,
    key: Buffer.concat([foreign.subarray(0, sealedKeyBytes), own.subarray(sealedKeyBytes)]),
    ciphertext: Buffer.concat([own.subarray(0, sealedKeyBytes), foreign.subarray(sealedKeyBytes)]),
  }
  for (const [what, bytes] of Object.entries(swaps)) {
    await writeFile(to, bytes)
    const read = await operator(whole, ['log', 'payload', String(other.index)])
    assert.notEqual(read.code, 0, what)
    assert.match(read.stderr, /altered/, what)
    assert.equal(read.stdout, '', what)
  }
  await writeFile(to, own)
  assert.equal((await operator(whole, ['log', 'payload', String(other.index)])).code, 0)
})
