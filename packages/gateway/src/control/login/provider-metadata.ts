import { Fault } from '@sallyport/contract'
import * as oauth from 'oauth4webapi'
import { objectionToUrl } from './provider-definition.ts'
import { NotSent } from './provider-http.ts'

/** Metadata are read again after so long; while the provider does not give them, the old ones go on for so long. */
const freshMs = 3_600_000
const staleMsMax = 86_400_000
/** Between two attempts to read metadata that failed. */
const restMs = 5_000
const messageMax = 256

/** What a provider says of itself. @see OpenID Connect Discovery 1.0, RFC 8414 */
export class ProviderMetadata {
  readonly #issuer: string
  readonly #now: () => number
  readonly #options: () => oauth.DiscoveryRequestOptions
  #known: { readonly server: oauth.AuthorizationServer; readonly at: number } | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<oauth.AuthorizationServer> | undefined

  constructor(issuer: string, now: () => number, options: () => oauth.DiscoveryRequestOptions) {
    this.#issuer = issuer
    this.#now = now
    this.#options = options
  }

  /** @throws NotSent: nothing but metadata was asked for */
  async read(signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const now = this.#now()
    const known = this.#known
    if (known && now - known.at < freshMs) return known.server
    const isUsable = known !== undefined && now - known.at < staleMsMax
    if (isUsable && now - this.#triedAt < restMs) return known.server
    this.#triedAt = now
    this.#reading ??= this.#readAgain().finally(() => (this.#reading = undefined))
    try {
      return await unlessAborted(this.#reading, signal)
    } catch (error) {
      if (isUsable) return known.server
      throw new NotSent(error instanceof Error ? error.message.slice(0, messageMax) : 'no metadata', { cause: error })
    }
  }

  /** @throws Fault */
  async readOrFault(signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    try {
      return await this.read(signal)
    } catch (error) {
      if (error instanceof NotSent) throw new Fault(`the identity provider ${this.#issuer} does not answer: ${error.message}`, 'not-done', error)
      throw error
    }
  }

  /** For everyone who waits, so no caller's signal ends it; it has the deadline of every request. */
  async #readAgain(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.#issuer)
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...this.#options(), algorithm: 'oidc' }))
    // The library compares as URLs; RFC 8414 section 3.3 wants them identical.
    if (server.issuer !== this.#issuer) throw new Error(`the metadata are of ${server.issuer.slice(0, messageMax)}`)
    for (const [name, value] of Object.entries(server)) {
      const objection = (name.endsWith('_endpoint') || name === 'jwks_uri') && typeof value === 'string' ? objectionToUrl(value) : undefined
      if (objection !== undefined) throw new Error(`${name} of the metadata: ${objection}`)
    }
    this.#known = { server, at: this.#now() }
    return server
  }
}

async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(new Error('there was no time left'))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
    work.catch(() => undefined) // it goes on for others
  }
}
