import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { CredentialStore } from '../../packages/gateway/src/control/login/client-credentials.ts'
import { PostgresProviderCredentials } from '../../packages/gateway/src/drivers/postgres/provider-credentials.ts'
import { openDatabase } from '../../packages/gateway/src/drivers/sqlite/database.ts'
import { SqliteProviderCredentials } from '../../packages/gateway/src/drivers/sqlite/provider-credentials.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { openClusterDatabase, startPostgres, type RunningPostgres } from '../fixtures/postgres.ts'

let postgres: RunningPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

type Open = (key: Uint8Array) => CredentialStore

/** Every driver passes the same suite: stores over one place, for keys that seal. */
const drivers: Readonly<Record<string, (t: TestContext) => Promise<Open>>> = {
  sqlite: async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-credentials-'))
    const database = openDatabase(join(folder, 'state.db'))
    t.after(() => {
      database.close()
      rmSync(folder, { recursive: true })
    })
    return (key) => new SqliteProviderCredentials(database, recordSeal(key, randomBytes))
  },
  postgres: async (t) => {
    const database = await openClusterDatabase(await postgres.createDatabase())
    t.after(() => database.close())
    return (key) => new PostgresProviderCredentials(database, recordSeal(key, randomBytes))
  },
}

for (const [driver, fresh] of Object.entries(drivers)) {
  test(`on ${driver} a credential is kept whole, for its provider alone, and opens with its key alone`, async (t) => {
    const open = await fresh(t)
    const key = randomBytes(32)
    assert.equal(await open(key).read('work'), undefined)
    await open(key).keep('work', 'first', undefined)
    await open(key).keep('work', 'second', 'first')
    await open(key).keep('home', 'other', undefined)
    for (const before of [undefined, 'first'])
      await assert.rejects(open(key).keep('work', 'of another gateway', before), { name: 'Fault', message: /run it again/ })
    assert.deepEqual([await open(key).read('work'), await open(key).read('home')], ['second', 'other'])
    await assert.rejects(open(randomBytes(32)).read('work'))
  })
}
