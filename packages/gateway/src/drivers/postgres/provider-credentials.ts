import type { CredentialStore } from '../../control/login/client-credentials.ts'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import { credentialPlace, requireUnchanged } from '../credential-place.ts'
import { bytes, damaged } from '../row.ts'
import { lockChanges } from './changes.ts'
import type { ClusterDatabase, Sql } from './cluster-database.ts'

/** `CredentialStore` in a PostgreSQL that several gateways share, sealed with a key that it does not have. A rotation at one of them holds at each. */
export class PostgresProviderCredentials implements CredentialStore {
  readonly #database: ClusterDatabase
  readonly #seal: Seal

  constructor(database: ClusterDatabase, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  read(provider: string): Promise<string | undefined> {
    return this.#database.read((sql) => this.#textIn(sql, provider))
  }

  async keep(provider: string, text: string, before: string | undefined): Promise<void> {
    const sealed = this.#seal.seal(credentialPlace(provider), text)
    await this.#database.write(async (sql) => {
      await lockChanges(sql) // one after the other, also where there is no row to lock yet
      requireUnchanged(await this.#textIn(sql, provider), before)
      await sql.run('INSERT INTO provider_credentials (provider, sealed) VALUES ($1, $2) ON CONFLICT (provider) DO UPDATE SET sealed = excluded.sealed', [
        provider,
        sealed,
      ])
    })
  }

  async #textIn(sql: Sql, provider: string): Promise<string | undefined> {
    const [row] = await sql.all('SELECT sealed FROM provider_credentials WHERE provider = $1', [provider])
    return row && this.#seal.open(credentialPlace(provider), bytes(row, 'sealed') ?? damaged('sealed'))
  }
}
