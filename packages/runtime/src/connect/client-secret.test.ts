import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { isSecret, readOrCreateSecret } from './client-secret.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-secret-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('the secret is made once, for its owner alone, even when several start at once', async (t) => {
  const directory = folder(t)
  const first = await readOrCreateSecret(directory, randomBytes)
  assert.match(first, /^[A-Za-z0-9_-]{43}$/)
  assert.equal(statSync(join(directory, 'connect.secret')).mode & 0o777, 0o600)
  assert.equal(await readOrCreateSecret(directory, randomBytes), first)
})

test('a secret that others could have read, or that is none, is not used', async (t) => {
  const directory = folder(t)
  const path = join(directory, 'connect.secret')
  const secret = await readOrCreateSecret(directory, randomBytes)
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(path, mode)
    await assert.rejects(readOrCreateSecret(directory, randomBytes), (error) => error instanceof Fault && /open to others/.test(error.message))
  }
  chmodSync(path, 0o600)
  for (const content of ['', 'short', `${secret}${secret}`, 'x'.repeat(10_000)]) {
    writeFileSync(path, content)
    await assert.rejects(readOrCreateSecret(directory, randomBytes), (error) => error instanceof Fault && /no secret/.test(error.message))
  }
  rmSync(path)
  const elsewhere = join(directory, 'elsewhere')
  writeFileSync(elsewhere, secret, { mode: 0o600 })
  symlinkSync(elsewhere, path)
  await assert.rejects(readOrCreateSecret(directory, randomBytes), Fault)
})

test('only the secret itself is the secret', () => {
  const secret = 'A'.repeat(43)
  assert.ok(isSecret(secret, secret))
  for (const other of ['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}B`, secret.toLowerCase()]) assert.ok(!isSecret(other, secret), other)
})
