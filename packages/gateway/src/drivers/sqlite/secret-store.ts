import { Fault, parseTenantName, type TenantName } from '@sallyport/contract'
import type { SecretRecord, SecretScope, SecretStore } from '../../control/secrets/secret-store.ts'
import type { Database, Row, Sql } from './database.ts'
import { openRecord, sealingKeyBytes, sealRecord } from './sealed-record.ts'

/** Secrets that are kept revealed at once. */
const revealedMax = 1024

/**
 * `SecretStore` on the embedded database. Each value is sealed with AES-256-GCM under a fresh random 96-bit nonce (NIST SP 800-38D section 8.2.2), bound to its
 * tenant, name and version.
 */
export class SqliteSecretStore implements SecretStore {
  readonly #database: Database
  readonly #sealingKey: Uint8Array
  readonly #randomBytes: (length: number) => Uint8Array
  /** What was revealed from one edition of the database, by tenant and name: a call should not cost a transaction and a decryption. */
  readonly #revealed = new Map<string, string | undefined>()
  #edition = ''

  /** `sealingKey` is 32 bytes, kept apart from the database and its backups. */
  constructor(database: Database, sealingKey: Uint8Array, randomBytes: (length: number) => Uint8Array) {
    if (sealingKey.length !== sealingKeyBytes) throw new TypeError(`the sealing key has ${sealingKeyBytes} bytes`)
    this.#database = database
    this.#sealingKey = sealingKey
    this.#randomBytes = randomBytes
  }

  set(scope: SecretScope, name: string, value: string, atMs: number): ReturnType<SecretStore['set']> {
    return this.#database.write((sql) => {
      if (findRow(sql, tenantColumn(scope), name)) return { kind: 'exists' }
      this.#keep(sql, scope, name, value, 1, atMs)
      return { kind: 'set', version: 1 }
    })
  }

  rotate(scope: SecretScope, name: string, value: string, atMs: number): ReturnType<SecretStore['rotate']> {
    return this.#database.write((sql) => {
      const row = findRow(sql, tenantColumn(scope), name)
      if (!row) return { kind: 'unknown' }
      const version = Number(row['version']) + 1
      this.#keep(sql, scope, name, value, version, atMs)
      return { kind: 'rotated', version }
    })
  }

  list(): Promise<readonly SecretRecord[]> {
    return this.#database.read((sql) => sql.all(`SELECT tenant, name, version, set_at FROM secrets ORDER BY tenant, name`).map(record))
  }

  async remove(scope: SecretScope, name: string): Promise<'unknown' | 'removed'> {
    const removed = await this.#database.write((sql) =>
      sql.run(`DELETE FROM secrets WHERE tenant = $tenant AND name = $name`, { tenant: tenantColumn(scope), name }),
    )
    return removed === 0 ? 'unknown' : 'removed'
  }

  reveal(tenant: TenantName, name: string): Promise<string | undefined> {
    return this.#reveal(tenant, name)
  }

  revealShared(name: string): Promise<string | undefined> {
    return this.#reveal(shared, name)
  }

  async #reveal(tenant: TenantName | typeof shared, name: string): Promise<string | undefined> {
    const edition = this.#database.edition()
    if (edition !== this.#edition || this.#revealed.size >= revealedMax) this.#revealed.clear()
    this.#edition = edition
    const key = `${tenant}|${name}`
    if (this.#revealed.has(key)) return this.#revealed.get(key)
    const row = await this.#database.read((sql) => findRow(sql, tenant, name) ?? findRow(sql, shared, name))
    const value = row && this.#open(row)
    // Another call can have seen a newer edition meanwhile, to which this value does not belong.
    if (edition === this.#edition) this.#revealed.set(key, value)
    return value
  }

  /** @throws Fault when a value does not open under the sealing key */
  async openAll(): Promise<void> {
    for (const row of await this.#database.read((sql) => sql.all(`SELECT tenant, name, version, sealed FROM secrets`))) this.#open(row)
  }

  #keep(sql: Sql, scope: SecretScope, name: string, value: string, version: number, atMs: number): void {
    const tenant = tenantColumn(scope)
    const sealed = sealRecord(this.#sealingKey, this.#randomBytes, boundTo(tenant, name, version), value)
    sql.run(`INSERT OR REPLACE INTO secrets (tenant, name, version, set_at, sealed) VALUES ($tenant, $name, $version, $at, $sealed)`, {
      tenant,
      name,
      version,
      at: atMs,
      sealed,
    })
  }

  #open(row: Row): string {
    const { tenant, name, version, sealed } = row
    try {
      return openRecord(this.#sealingKey, boundTo(String(tenant), String(name), Number(version)), sealed)
    } catch (error) {
      throw new Fault(`secret ${String(name)} does not open: its record was altered, or the sealing key is another`, 'not-done', error)
    }
  }
}

/** No tenant has an empty name. */
const shared = ''

function tenantColumn(scope: SecretScope): string {
  return scope.kind === 'shared' ? shared : scope.tenant
}

/** Neither tenants nor names hold a vertical bar, so two different triples never make one text. */
function boundTo(tenant: string, name: string, version: number): string {
  return `${tenant}|${name}|${version}`
}

function findRow(sql: Sql, tenant: string, name: string): Row | undefined {
  return sql.get(`SELECT tenant, name, version, sealed FROM secrets WHERE tenant = $tenant AND name = $name`, { tenant, name })
}

function record(row: Row): SecretRecord {
  const tenant = parseTenantName(String(row['tenant']))
  return {
    scope: tenant ? { kind: 'tenant', tenant } : { kind: 'shared' },
    name: String(row['name']),
    version: Number(row['version']),
    setAtMs: Number(row['set_at']),
  }
}
