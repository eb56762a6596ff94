import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { makeRoots, openRoots } from '../../packages/gateway/src/control/authority/roots.ts'
import { trustDomain } from '../fixtures/identity-gate.ts'

test('an authority whose key others can read, or could have put there, does not open', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sallyport-ca-'))
  t.after(() => rm(parent, { recursive: true }))
  const directory = join(parent, 'ca')
  await makeRoots(directory, trustDomain, Date.now(), randomBytes)
  const key = join(directory, (await readdir(directory)).find((name) => name.endsWith('.key')) ?? '')
  assert.equal((await stat(key)).mode & 0o777, 0o600)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)

  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    await chmod(key, mode)
    await assert.rejects(
      openRoots(directory, randomBytes),
      (error) => error instanceof Fault && error.message.includes('open to others') && !error.message.includes('PRIVATE'),
    )
  }
  await chmod(key, 0o600)
  await chmod(directory, 0o750)
  await assert.rejects(openRoots(directory, randomBytes), /open to others/)
  await chmod(directory, 0o700)

  await rename(key, join(parent, 'elsewhere.key'))
  await symlink(join(parent, 'elsewhere.key'), key)
  await assert.rejects(openRoots(directory, randomBytes), Fault)
  await rename(join(parent, 'elsewhere.key'), key)
  assert.equal((await openRoots(directory, randomBytes)).trusted.length, 1, 'as it was made, it opens')
})
