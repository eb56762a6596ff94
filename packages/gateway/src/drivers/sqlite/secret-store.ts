import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Fault, parseTenantName, type TenantName } from '@sallyport/contract'
import type { SecretRecord, SecretScope, SecretStore } from '../../control/secrets/secret-store.ts'
import type { Database, Row, Sql } from './database.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * `SecretStore` on the embedded database. Each value is sealed with AES-256-GCM under a fresh random 96-bit nonce (NIST SP 800-38D section 8.2.2), bound to its
 * tenant, name and version.
 */
export class SqliteSecretStore implements SecretStore {
  readonly #database: Database
  readonly #sealingKey: Uint8Array
  readonly #randomBytes: (length: number) => Uint8Array

  /** `sealingKey` is 32 bytes, kept apart from the database and its backups. */
  constructor(database: Database, sealingKey: Uint8Array, randomBytes: (length: number) => Uint8Array) {
    if (sealingKey.length !== keyBytes) throw new TypeError(`the sealing key has ${keyBytes} bytes`)
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

  async reveal(tenant: TenantName, name: string): Promise<string | undefined> {
    const row = await this.#database.read((sql) => findRow(sql, tenant, name) ?? findRow(sql, shared, name))
    return row && this.#open(row)
  }

  #keep(sql: Sql, scope: SecretScope, name: string, value: string, version: number, atMs: number): void {
    const tenant = tenantColumn(scope)
    const nonce = this.#randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#sealingKey, nonce, { authTagLength: tagBytes })
    cipher.setAAD(boundTo(tenant, name, version))
    const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()])
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
    const broken = (cause?: unknown) =>
      new Fault(`secret ${String(name)} does not open: its record was altered, or the sealing key is another`, 'not-done', cause)
    if (!(sealed instanceof Uint8Array) || sealed.length < nonceBytes + tagBytes) throw broken()
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#sealingKey, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(boundTo(String(tenant), String(name), Number(version)))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8')
    } catch (error) {
      throw broken(error)
    }
  }
}

/** No tenant has an empty name. */
const shared = ''

function tenantColumn(scope: SecretScope): string {
  return scope.kind === 'shared' ? shared : scope.tenant
}

/** Neither tenants nor names hold a vertical bar, so two different triples never make one text. */
function boundTo(tenant: string, name: string, version: number): Buffer {
  return Buffer.from(`${tenant}|${name}|${version}`)
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
