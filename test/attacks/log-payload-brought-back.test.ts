// What was erased comes back with a copy of the folder, or with a backup that was made of such a copy.
import assert from 'node:assert/strict'
import { copyFile, mkdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { cited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'
import type { WholeGateway } from '../fixtures/whole-gateway.ts'

const passphrase = { input: 'correct horse battery staple' }

/** Erased, and then there again, while the gateway is down. */
async function broughtBack(erase: readonly string[]): Promise<WholeGateway> {
  const whole = await startedCapturing()
  for (const amount of [1, 2]) assert.equal(await refund(whole, { amount }), '200')
  const aside = join(whole.folder, 'aside')
  await mkdir(aside)
  const before = await payloadFiles(whole)
  for (const file of before) await copyFile(file, join(aside, basename(file)))
  assert.equal((await operator(whole, ['log', 'erase', ...erase, '--yes'])).code, 0)
  await whole.stop()
  for (const file of before) await copyFile(join(aside, basename(file)), file)
  return whole
}

async function assertGone(whole: WholeGateway, index: number): Promise<void> {
  const read = await operator(whole, ['log', 'payload', String(index)])
  assert.match(read.stderr, /are gone/)
  assert.equal(read.stdout, '')
}

test('what the log tells to be erased is destroyed at the next start, before anyone can read it', async () => {
  await using whole = await broughtBack(['--agent', 'acme/bot'])
  await whole.start()
  const [first, second] = await cited(whole)
  assert.ok(first && second)
  await assertGone(whole, first.index)
  await assertGone(whole, second.index)
  assert.deepEqual(await payloadFiles(whole), [])
})

test('what was not erased stays readable, over a backup and its restore', async () => {
  await using whole = await startedCapturing()
  for (const amount of [1, 2]) assert.equal(await refund(whole, { amount }), '200')
  const [first, second] = await cited(whole)
  assert.ok(first && second)
  assert.equal((await operator(whole, ['log', 'erase', String(first.index), '--yes'])).code, 0)
  assert.equal((await operator(whole, ['backup', join(whole.folder, 'a.backup')], passphrase)).code, 0)
  await whole.stop()
  await rename(whole.data, join(whole.folder, 'before'))
  const restored = await operator(whole, ['restore', join(whole.folder, 'a.backup')], passphrase)
  assert.equal(restored.code, 0, restored.stderr)
  await whole.start()
  await assertGone(whole, first.index)
  assert.match((await operator(whole, ['log', 'payload', String(second.index), '--json'])).stdout, /"amount": 2/)
})

test('a backup that holds what its own log tells to be erased does not bring it back', async () => {
  await using whole = await broughtBack(['--tenant', 'acme'])
  assert.equal((await operator(whole, ['backup', join(whole.folder, 'a.backup')], passphrase)).code, 0)
  await rename(whole.data, join(whole.folder, 'before'))
  const restored = await operator(whole, ['restore', join(whole.folder, 'a.backup')], passphrase)
  assert.equal(restored.code, 0, restored.stderr)
  assert.equal((await payloadFiles(whole)).length, 2, 'the backup holds them')
  await whole.start()
  for (const { index } of await cited(whole)) await assertGone(whole, index)
  assert.deepEqual(await payloadFiles(whole), [])
})
