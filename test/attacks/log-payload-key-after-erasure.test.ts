// Whoever gets the disk, or a second name of the file, after an erasure looks for the key, and for what it opened.
import assert from 'node:assert/strict'
import { link, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { deriveKey } from '../../packages/gateway/src/control/data-folder.ts'
import { readKeyFile } from '../../packages/gateway/src/drivers/key-file/key-file.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { filesWith, firstCited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'

const sealedKeyBytes = 71

test('a held call has its arguments in the database too: after an erasure no page of it and of its log has them, and nobody can approve the call', async () => {
  await using whole = await startedCapturing(undefined, undefined, [{ id: 'ask', match: { upstream: 'payments' }, then: 'hold' }])
  assert.equal(await refund(whole, { amount: 42 }), 'policy.approval-required')
  const { index } = await firstCited(whole)
  const database = new DatabaseSync(join(whole.data, 'state.db'), { readOnly: true })
  const row = database.prepare('SELECT approval, sealed FROM held_calls').get()
  database.close()
  const sealed = row?.['sealed']
  assert.ok(sealed instanceof Uint8Array)
  const traces = [sealed.subarray(0, 24), sealed.subarray(-24)]
  assert.notDeepEqual(await filesWith(whole.data, traces), [])
  assert.equal((await operator(whole, ['log', 'erase', String(index), '--yes'])).code, 0)
  assert.deepEqual(await filesWith(whole.data, traces), [])
  assert.match((await operator(whole, ['approve', String(row?.['approval'])])).stderr, /arguments of this call are not known here/)
})

test('after an erasure no file has the key, sealed or not, and the blocks that held it are overwritten', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 42 }), '200')
  const { index, digest, request } = await firstCited(whole)
  const [file = ''] = await payloadFiles(whole)
  const bytes = await readFile(file)
  const sealedKey = bytes.subarray(0, sealedKeyBytes)
  const own = deriveKey(await readKeyFile(join(whole.data, 'sealing.key')), 'payload-keys')
  const key = Buffer.from(recordSeal(own, randomBytes).open(`payload-key|${request}|${digest}`, sealedKey), 'base64url')
  const traces = [sealedKey, key, bytes.subarray(sealedKeyBytes, sealedKeyBytes + 64)]
  assert.deepEqual(await filesWith(whole.data, traces), [file])
  assert.deepEqual(await filesWith(whole.data, [key]), [], 'the key itself was never written')

  const held = await open(file, 'r')
  const secondName = join(whole.folder, 'second-name')
  await link(file, secondName)
  try {
    assert.equal((await operator(whole, ['log', 'erase', String(index), '--yes'])).code, 0)
    for (const left of [await held.readFile(), await readFile(secondName)]) {
      assert.equal(left.length, bytes.length)
      assert.ok(left.every((byte) => byte === 0))
    }
  } finally {
    await held.close()
  }
  assert.deepEqual(await filesWith(whole.folder, traces), [])
  await whole.stop()
  assert.deepEqual(await filesWith(whole.folder, traces), [])
})
