import { Fault } from '@sallyport/contract'
import type { CredentialStore } from '../../control/login/client-credentials.ts'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import { credentialPlace } from '../credential-place.ts'
import type { Database } from './database.ts'

/** Keeps the credentials by which identity providers know the gateway, sealed, where a rotation has brought them. */
export class SqliteProviderCredentials implements CredentialStore {
  readonly #database: Database
  readonly #seal: Seal

  constructor(database: Database, seal: Seal) {
    this.#database = database
    this.#seal = seal
  }

  async read(provider: string): Promise<string | undefined> {
    const row = await this.#database.read((sql) => sql.get(`SELECT sealed FROM provider_credentials WHERE provider = $provider`, { provider }))
    if (!row) return undefined
    const { sealed } = row
    if (!(sealed instanceof Uint8Array)) throw new Fault(`the credential for ${provider} is damaged`, 'not-done')
    return this.#seal.open(credentialPlace(provider), sealed)
  }

  async keep(provider: string, text: string): Promise<void> {
    const sealed = this.#seal.seal(credentialPlace(provider), text)
    await this.#database.write((sql) =>
      sql.run(`INSERT OR REPLACE INTO provider_credentials (provider, sealed) VALUES ($provider, $sealed)`, { provider, sealed }),
    )
  }
}
