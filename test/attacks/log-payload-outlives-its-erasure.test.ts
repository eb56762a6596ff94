// The log says that arguments are erased; something that keeps a file or the database busy lets them be read on.
import assert from 'node:assert/strict'
import { copyFile, lstat, rename, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { cited, firstCited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'
import type { WholeGateway } from '../fixtures/whole-gateway.ts'

const asking = [{ id: 'ask', match: { upstream: 'payments' }, then: 'hold' }]

async function assertGone(whole: WholeGateway, index: number): Promise<void> {
  const { stdout, stderr } = await operator(whole, ['log', 'payload', String(index)])
  assert.match(stderr, /are gone/)
  assert.equal(stdout, '')
}

/** The gateway opens no file through a link, to destroy it: so this one stays, and can be read. */
async function putLink(whole: WholeGateway, file: string): Promise<string> {
  const aside = join(whole.folder, basename(file))
  await rename(file, aside)
  await symlink(aside, file)
  return aside
}

test('while a reader holds the database, the arguments of a held call are destroyed all the same', async () => {
  await using whole = await startedCapturing(undefined, undefined, asking)
  assert.equal(await refund(whole, { amount: 42 }), 'policy.approval-required')
  const { index } = await firstCited(whole)
  using reader = new DatabaseSync(join(whole.data, 'state.db'), { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM held_calls').get()
  const { code, stderr } = await operator(whole, ['log', 'erase', String(index), '--yes'])
  assert.notEqual(code, 0)
  assert.match(stderr, /the erasure is in the log, but not all of it is done yet/)
  await assertGone(whole, index)
  assert.deepEqual(await payloadFiles(whole), [])
})

test('a file that cannot be destroyed is read no more, keeps none behind it, and is destroyed by the next start that can', async () => {
  await using whole = await startedCapturing()
  for (const amount of [1, 2, 3]) assert.equal(await refund(whole, { amount }), '200')
  const [file = ''] = await payloadFiles(whole)
  const aside = await putLink(whole, file)
  const { code, stderr } = await operator(whole, ['log', 'erase', '--agent', 'acme/bot', '--yes'])
  assert.notEqual(code, 0)
  assert.match(stderr, /1 of 3 payloads cannot be destroyed/)
  assert.deepEqual(await payloadFiles(whole), [file])
  for (const { index } of await cited(whole)) await assertGone(whole, index)
  await whole.stop()

  await whole.start()
  for (const { index } of await cited(whole)) await assertGone(whole, index)
  assert.ok((await lstat(file)).isSymbolicLink())
  await whole.stop()

  await rename(aside, file)
  await whole.start()
  for (const { index } of await cited(whole)) await assertGone(whole, index)
  assert.deepEqual(await payloadFiles(whole), [])
})

test('after a crash between the entry and the act, a start destroys what a held call has in the database too', async () => {
  await using whole = await startedCapturing(undefined, undefined, asking)
  assert.equal(await refund(whole, { amount: 42 }), 'policy.approval-required')
  const { index } = await firstCited(whole)
  await whole.stop()
  const [file = ''] = await payloadFiles(whole)
  const before = ['state.db', join('payloads', basename(file))]
  for (const name of before) await copyFile(join(whole.data, name), join(whole.folder, basename(name)))
  await whole.start()
  const event = (await whole.events())[index]
  assert.ok(event?.type === 'decision' && event.approval !== undefined)
  assert.equal((await operator(whole, ['log', 'erase', String(index), '--yes'])).code, 0)
  await whole.stop()

  for (const left of ['state.db-wal', 'state.db-shm']) await rm(join(whole.data, left), { force: true })
  for (const name of before) await copyFile(join(whole.folder, basename(name)), join(whole.data, name))
  await whole.start()
  await assertGone(whole, index)
  const database = new DatabaseSync(join(whole.data, 'state.db'), { readOnly: true })
  const held = (): unknown => database.prepare('SELECT count(*) AS held FROM held_calls').get()?.['held']
  while (held() !== 0) await new Promise((resolve) => setImmediate(resolve))
  database.close()
  assert.match((await operator(whole, ['approve', event.approval])).stderr, /arguments of this call are not known here/)
})
