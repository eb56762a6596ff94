import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { temporaryFolder } from '../../../../../test/fixtures/log-folder.ts'
import { rotatingFile } from './rotating-file.ts'

const settings = (path: string, rotateBytes = 1e9, keep = 2) => ({ kind: 'file', path, rotateBytes, keep }) as const

test('lines are added to the file, which only its owner can read', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  const file = rotatingFile(settings(path), Date.now)
  await file.send(['one', 'two'])
  await file.confirm()
  await file.send(['three'])
  await file.confirm()
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n')
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a line that a crash has left unfinished does not run into the next', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  writeFileSync(path, 'whole\nhal')
  const file = rotatingFile(settings(path), Date.now)
  await file.send(['half'])
  await file.confirm()
  assert.equal(readFileSync(path, 'utf8'), 'whole\nhal\nhalf\n')
})

test('a full file is put aside with its mode, and the oldest beyond those that are kept go; nothing else does', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'events.jsonl')
  writeFileSync(path, '')
  chmodSync(path, 0o640)
  writeFileSync(`${path}.notes`, 'mine')
  const file = rotatingFile(settings(path, 10), () => Date.UTC(2026, 10, 25, 9))
  for (const line of ['just 9..', 'the tenth', 'the third', 'the fourth', 'the fifth']) {
    await file.send([line])
    await file.confirm()
  }
  const names = readdirSync(folder).sort()
  assert.deepEqual(names, ['events.jsonl', 'events.jsonl.20261125T090000002Z', 'events.jsonl.20261125T090000003Z', 'events.jsonl.notes'])
  assert.equal(readFileSync(join(folder, names[2] ?? ''), 'utf8'), 'the fifth\n')
  assert.equal(readFileSync(path, 'utf8'), '')
  assert.equal(statSync(path).mode & 0o777, 0o640)
})

test('a file that another program has taken away is made anew', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  const file = rotatingFile(settings(path), Date.now)
  await file.send(['one'])
  await file.confirm()
  renameSync(path, `${path}.1`)
  await file.send(['two'])
  await file.confirm()
  assert.equal(readFileSync(path, 'utf8'), 'two\n')
})

test('a file that cannot be written is a Fault, and the next try may go well', async (t) => {
  const folder = temporaryFolder(t)
  const file = rotatingFile(settings(join(folder, 'there', 'events.jsonl')), Date.now)
  await assert.rejects(file.send(['one']), Fault)
  mkdirSync(join(folder, 'there'))
  await file.send(['one'])
  await file.confirm()
})
