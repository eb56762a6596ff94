import type { CredentialStore } from '../../control/login/client-credentials.ts'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import { credentialPlace } from '../credential-place.ts'
import { bytes, damaged } from '../row.ts'
import type { ClusterDatabase } from './cluster-database.ts'

/** `CredentialStore` in a PostgreSQL that several gateways share, sealed with a key that it does not have. A rotation at one of them holds at each. */
export class PostgresProviderCredentials implements CredentialStore {
  readonly #database: ClusterDatabase
  readonly #seal: Seal

  constructor(database: ClusterDatabase, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  async read(provider: string): Promise<string | undefined> {
    const [row] = await this.#database.read((sql) => sql.all('SELECT sealed FROM provider_credentials WHERE provider = $1', [provider]))
    return row && this.#seal.open(credentialPlace(provider), bytes(row, 'sealed') ?? damaged('sealed'))
  }

  async keep(provider: string, text: string): Promise<void> {
    const sealed = this.#seal.seal(credentialPlace(provider), text)
    await this.#database.write((sql) =>
      sql.run('INSERT INTO provider_credentials (provider, sealed) VALUES ($1, $2) ON CONFLICT (provider) DO UPDATE SET sealed = excluded.sealed', [
        provider,
        sealed,
      ]),
    )
  }
}
