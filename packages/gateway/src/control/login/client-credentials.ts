import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { clientCredential, credentialDigest, type ClientCredential } from './client-credential.ts'
import type { ProviderDefinition } from './provider-definition.ts'
import { NotSent } from './provider-http.ts'

/** Where credentials lie that a rotation has brought, by the name of the provider, sealed. Whoever reads them can pose as this gateway there. */
export interface CredentialStore {
  /** @throws Fault when it cannot be read, or was altered */
  read(provider: string): Promise<string | undefined>
  /**
   * Replaces `before`, which was read, whole: after a crash there is the old text or the new. Durable when it resolves.
   *
   * @throws Fault; also, as `not-done`, when there is something else than `before` now: another gateway rotates too
   */
  keep(provider: string, text: string, before: string | undefined): Promise<void>
}

const kept = z.strictObject({
  version: z.literal(1),
  replaces: z.string().meta({ description: 'Digest of the credential that the configuration names' }),
  next: clientCredential.exactOptional(),
  current: clientCredential.exactOptional(),
  old: clientCredential.exactOptional(),
})

type Kept = z.infer<typeof kept>

/** Where the credential of one provider stands. */
export interface CredentialStanding {
  readonly current: ClientCredential
  /** Prepared, and not used yet. */
  readonly next: ClientCredential | undefined
  /** Used no more, and not known to be refused yet. */
  readonly old: ClientCredential | undefined
}

/**
 * The credentials by which providers know this gateway.
 *
 * What the configuration names counts until a rotation replaces it, and a replacement counts for exactly that one: whoever puts another key, certificate or secret
 * in its place is followed. All of one provider is one record, so that no crash leaves half of a change.
 */
export class ClientCredentials {
  readonly #store: CredentialStore
  readonly #reveal: (secret: string) => Promise<string | undefined>

  /** `reveal`: a sealed secret by its name. */
  constructor(store: CredentialStore, reveal: (secret: string) => Promise<string | undefined>) {
    this.#store = store
    this.#reveal = reveal
  }

  /** What the next request shows. @throws NotSent when there is none to be had, Fault */
  async current(definition: ProviderDefinition): Promise<ClientCredential> {
    return (await this.standing(definition)).current
  }

  /** @throws NotSent when there is no credential, Fault */
  async standing(definition: ProviderDefinition): Promise<CredentialStanding> {
    const configured = await this.#configured(definition)
    const record = recordIn(await this.#store.read(definition.name), definition, configured)
    return { current: record.current ?? configured, next: record.next, old: record.old }
  }

  /** Puts a successor beside the one that counts. @throws NotSent, Fault */
  prepare(definition: ProviderDefinition, next: ClientCredential): Promise<void> {
    return this.#change(definition, (record) => ({ ...record, next }))
  }

  /** From the next request on the successor counts, which must be the one that was proved. @throws NotSent, Fault */
  async promote(definition: ProviderDefinition, proved: ClientCredential): Promise<void> {
    const { current: old } = await this.standing(definition)
    await this.#change(definition, ({ next, ...record }) => {
      if (!next || credentialDigest(next) !== credentialDigest(proved))
        throw new Fault('another gateway has changed this credential meanwhile: run it again', 'not-done')
      return { ...record, current: next, old }
    })
  }

  /** Nothing needs the one before any more. @throws NotSent, Fault */
  forgetOld(definition: ProviderDefinition): Promise<void> {
    return this.#change(definition, ({ version, replaces, next, current }) => ({ version, replaces, ...(next && { next }), ...(current && { current }) }))
  }

  async #change(definition: ProviderDefinition, change: (record: Kept) => Kept): Promise<void> {
    const before = await this.#store.read(definition.name)
    const record = recordIn(before, definition, await this.#configured(definition))
    await this.#store.keep(definition.name, JSON.stringify(change(record)), before)
  }

  async #configured({ proof }: ProviderDefinition): Promise<ClientCredential> {
    if (proof.method !== 'secret') return proof
    const secret = await this.#reveal(proof.secret)
    if (secret === undefined) throw new NotSent(`the secret ${proof.secret} is not set`)
    return { method: 'secret', secret }
  }
}

function recordIn(text: string | undefined, { name }: ProviderDefinition, configured: ClientCredential): Kept {
  const replaces = credentialDigest(configured)
  const record = text === undefined ? undefined : readKept(name, text)
  return record?.replaces === replaces ? record : { version: 1, replaces }
}

function readKept(provider: string, text: string): Kept {
  const read = kept.safeParse(JSON.parse(text))
  if (!read.success) throw new Fault(`the credential for ${provider} that is kept sealed cannot be read: another version wrote it`, 'not-done')
  return read.data
}
