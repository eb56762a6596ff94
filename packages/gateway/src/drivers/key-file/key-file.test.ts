import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { createKeyFile, readKeyFile } from './key-file.ts'

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-key-file-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const refuses = (path: string, message: RegExp) =>
  assert.rejects(readKeyFile(path), (error) => error instanceof Fault && error.outcome === 'not-done' && message.test(error.message))

test('a key file is made once, for its owner alone', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'sealing.key')
    assert.equal(await createKeyFile(path, randomBytes), 'created')
    const key = await readKeyFile(path)
    assert.equal(key.length, 32)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal(await createKeyFile(path, randomBytes), 'exists')
    assert.deepEqual(await readKeyFile(path), key)
    assert.deepEqual(await readdir(folder), ['sealing.key'])
  }))

test('a remnant of a crash does not stand in the way', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'sealing.key')
    await writeFile(`${path}.unfinished`, 'half')
    assert.equal(await createKeyFile(path, randomBytes), 'created')
    assert.equal((await readKeyFile(path)).length, 32)
  }))

test('a key file that others can reach is refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'sealing.key')
    await createKeyFile(path, randomBytes)
    for (const mode of [0o640, 0o604, 0o620, 0o610]) {
      await chmod(path, mode)
      await refuses(path, /open to others/)
    }
  }))

test('a key file of another length, a link and a missing one are refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'sealing.key')
    await refuses(path, /cannot be read/)
    await writeFile(path, Buffer.alloc(31), { mode: 0o600 })
    await refuses(path, /31 bytes/)
    await writeFile(path, Buffer.alloc(32))
    await symlink(path, join(folder, 'link.key'))
    await refuses(join(folder, 'link.key'), /cannot be read/)
  }))

test('a folder that is not there is a fault', () =>
  withFolder(async (folder) => {
    await assert.rejects(createKeyFile(join(folder, 'none', 'sealing.key'), randomBytes), Fault)
  }))
