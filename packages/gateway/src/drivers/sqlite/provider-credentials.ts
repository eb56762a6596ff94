import type { CredentialStore } from '../../control/login/client-credentials.ts'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import { credentialPlace, requireUnchanged } from '../credential-place.ts'
import { bytes, damaged } from '../row.ts'
import type { Database, Sql } from './database.ts'

/** Keeps the credentials by which identity providers know the gateway, sealed, where a rotation has brought them. */
export class SqliteProviderCredentials implements CredentialStore {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  read(provider: string): Promise<string | undefined> {
    return this.#database.read((sql) => this.#textIn(sql, provider))
  }

  async keep(provider: string, text: string, before: string | undefined): Promise<void> {
    const sealed = this.#seal.seal(credentialPlace(provider), text)
    await this.#database.write((sql) => {
      requireUnchanged(this.#textIn(sql, provider), before)
      sql.run(`INSERT OR REPLACE INTO provider_credentials (provider, sealed) VALUES ($provider, $sealed)`, { provider, sealed })
    })
  }

  #textIn(sql: Sql, provider: string): string | undefined {
    const row = sql.get(`SELECT sealed FROM provider_credentials WHERE provider = $provider`, { provider })
    return row && this.#seal.open(credentialPlace(provider), bytes(row, 'sealed') ?? damaged('sealed'))
  }
}
