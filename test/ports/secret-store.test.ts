import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Fault, parseTenantName, type TenantName } from '@sallyport/contract'
import type { SecretScope, SecretStore } from '../../packages/gateway/src/control/secrets/secret-store.ts'
import { openDatabase } from '../../packages/gateway/src/drivers/sqlite/database.ts'
import { SqliteSecretStore } from '../../packages/gateway/src/drivers/sqlite/secret-store.ts'

function tenantNamed(text: string): TenantName {
  return parseTenantName(text) ?? assert.fail(text)
}

const acme = tenantNamed('acme')
const globex = tenantNamed('globex')
const shared: SecretScope = { kind: 'shared' }
const ofAcme: SecretScope = { kind: 'tenant', tenant: acme }

interface Opened {
  readonly store: SecretStore
  close(): void
}

/** One storage that can be opened again, as after a restart. */
interface Storage {
  open(sealingKey: Uint8Array): Opened
  /** Everything that a thief of the storage gets. */
  bytes(): Promise<Buffer>
  /** Puts the sealed value of one row into another, as an attacker with write access would. */
  swap(from: { tenant: string; name: string }, to: { tenant: string; name: string }): void
}

async function withSqlite(work: (storage: Storage) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-secrets-'))
  const path = join(folder, 'state.db')
  try {
    await work({
      open: (sealingKey) => {
        const database = openDatabase(path)
        return { store: new SqliteSecretStore(database, sealingKey, randomBytes), close: () => database.close() }
      },
      bytes: async () => Buffer.concat(await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))))),
      swap: (from, to) => {
        const database = new DatabaseSync(path)
        const sealed = `(SELECT sealed FROM secrets WHERE tenant = ? AND name = ?)`
        database.prepare(`UPDATE secrets SET sealed = ${sealed} WHERE tenant = ? AND name = ?`).run(from.tenant, from.name, to.tenant, to.name)
        database.close()
      },
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const [driver, withStorage] of [['sqlite', withSqlite]] as const) {
  const key = new Uint8Array(32).fill(7)
  const withStore = (work: (store: SecretStore, storage: Storage) => Promise<void>) =>
    withStorage(async (storage) => {
      const { store, close } = storage.open(key)
      try {
        await work(store, storage)
      } finally {
        close()
      }
    })

  test(`${driver}: the tenant's own value comes before the shared one, and no other tenant's`, () =>
    withStore(async (store) => {
      assert.equal(await store.reveal(acme, 'crm'), undefined)
      assert.deepEqual(await store.set(shared, 'crm', 'shared-value', 1), { kind: 'set', version: 1 })
      assert.deepEqual(await store.set(ofAcme, 'crm', 'acme-value', 2), { kind: 'set', version: 1 })
      assert.equal(await store.reveal(acme, 'crm'), 'acme-value')
      assert.equal(await store.revealShared('crm'), 'shared-value', "what is no tenant's gets no tenant's value")
      assert.equal(await store.reveal(globex, 'crm'), 'shared-value')
      assert.equal(await store.remove(ofAcme, 'crm'), 'removed')
      assert.equal(await store.remove(ofAcme, 'crm'), 'unknown')
      assert.equal(await store.reveal(acme, 'crm'), 'shared-value')
    }))

  test(`${driver}: set never overwrites, rotate never makes`, () =>
    withStore(async (store) => {
      assert.deepEqual(await store.rotate(shared, 'crm', 'value-one', 1), { kind: 'unknown' })
      await store.set(shared, 'crm', 'value-one', 1)
      assert.deepEqual(await store.set(shared, 'crm', 'value-two', 2), { kind: 'exists' })
      assert.equal(await store.reveal(acme, 'crm'), 'value-one')
      assert.deepEqual(await store.rotate(shared, 'crm', 'value-three', 3), { kind: 'rotated', version: 2 })
      assert.equal(await store.reveal(acme, 'crm'), 'value-three')
    }))

  test(`${driver}: what another connection changes is seen by the next reveal, however often the value was revealed before`, () =>
    withStore(async (store, storage) => {
      await store.set(shared, 'crm', 'value-one', 1)
      assert.equal(await store.reveal(acme, 'crm'), 'value-one')
      assert.equal(await store.reveal(acme, 'crm'), 'value-one')
      assert.equal(await store.reveal(acme, 'pay'), undefined)
      const other = storage.open(key)
      await other.store.rotate(shared, 'crm', 'value-two', 2)
      assert.equal(await store.reveal(acme, 'crm'), 'value-two')
      await other.store.set(ofAcme, 'crm', 'acme-value', 3)
      await other.store.set(shared, 'pay', 'pay-value', 3)
      assert.equal(await store.reveal(acme, 'crm'), 'acme-value')
      assert.equal(await store.reveal(acme, 'pay'), 'pay-value')
      await other.store.remove(ofAcme, 'crm')
      await other.store.remove(shared, 'crm')
      assert.equal(await store.reveal(acme, 'crm'), undefined)
      other.close()
      await store.set(shared, 'api', 'api-value', 4)
      storage.swap({ tenant: '', name: 'api' }, { tenant: '', name: 'pay' })
      await assert.rejects(store.reveal(acme, 'pay'), Fault)
    }))

  test(`${driver}: the list has versions and times and no value`, () =>
    withStore(async (store) => {
      await store.set(ofAcme, 'pay', 'acme-pay-value', 5)
      await store.set(shared, 'crm', 'shared-value', 1)
      await store.rotate(shared, 'crm', 'shared-value-two', 9)
      const list = await store.list()
      assert.deepEqual(list, [
        { scope: { kind: 'shared' }, name: 'crm', version: 2, setAtMs: 9 },
        { scope: { kind: 'tenant', tenant: 'acme' }, name: 'pay', version: 1, setAtMs: 5 },
      ])
    }))

  test(`${driver}: values outlive a restart, and only under their key`, () =>
    withStorage(async (storage) => {
      const first = storage.open(key)
      await first.store.set(shared, 'crm', 'a-value-to-keep', 1)
      first.close()
      const second = storage.open(key)
      assert.equal(await second.store.reveal(acme, 'crm'), 'a-value-to-keep')
      second.close()
      const other = storage.open(new Uint8Array(32).fill(8))
      await assert.rejects(
        other.store.reveal(acme, 'crm'),
        (error) => error instanceof Fault && error.outcome === 'not-done' && !error.message.includes('a-value'),
      )
      other.close()
    }))

  test(`${driver}: the storage holds no value in the clear [T15]`, () =>
    withStore(async (store, storage) => {
      await store.set(shared, 'crm', 'find-me-if-you-can', 1)
      await store.rotate(shared, 'crm', 'find-me-if-you-can-again', 2)
      assert.equal((await storage.bytes()).includes('find-me'), false)
    }))

  test(`${driver}: a sealed value does not open under another tenant, name or version`, () =>
    withStore(async (store, storage) => {
      await store.set(ofAcme, 'crm', 'acme-crm-value', 1)
      await store.set({ kind: 'tenant', tenant: globex }, 'crm', 'globex-crm-value', 1)
      await store.set(shared, 'pay', 'shared-pay-value', 1)
      storage.swap({ tenant: 'acme', name: 'crm' }, { tenant: 'globex', name: 'crm' })
      await assert.rejects(store.reveal(globex, 'crm'), Fault)
      storage.swap({ tenant: 'acme', name: 'crm' }, { tenant: '', name: 'pay' })
      await assert.rejects(store.reveal(acme, 'pay'), Fault)
      await store.set(shared, 'crm', 'shared-crm-value', 1)
      await store.rotate(shared, 'crm', 'shared-crm-value-two', 2)
      storage.swap({ tenant: 'acme', name: 'crm' }, { tenant: '', name: 'crm' })
      await assert.rejects(store.reveal(parseTenantName('other') ?? assert.fail(), 'crm'), Fault)
    }))
}
