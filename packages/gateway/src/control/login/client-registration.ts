import { calculateJwkThumbprint, type JWK } from 'jose'
import { z } from 'zod'
import { NotSent, type ProviderHttp } from './provider-http.ts'

/** Keys of one client at a provider. */
const clientKeysMax = 16

const metadata = z.looseObject({
  client_id: z.string().max(1024),
  jwks: z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).max(clientKeysMax) }).optional(),
  jwks_uri: z.string().max(2048).optional(),
  registration_access_token: z.string().min(1).max(8192).optional(),
})

type Metadata = z.infer<typeof metadata>

/** What the provider itself writes, and does not take back (RFC 7592 section 2.2). */
const written: ReadonlySet<string> = new Set(['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'])

export interface ClientRegistrationPorts {
  readonly http: ProviderHttp
  readonly url: string
  readonly clientId: string
  /** The registration access token. @throws Fault */
  readonly token: () => Promise<string | undefined>
  /** Durable when it resolves: without it nobody can change the registration any more. @throws Fault */
  readonly keepToken: (token: string) => Promise<void>
}

/** What came of a change; `objection`: why it is not known to be done. Asking again is safe. */
export type Registered = { readonly kind: 'done' } | { readonly kind: 'not-done'; readonly objection: string }

/**
 * The registration of this gateway at the provider, where it may change it itself.
 *
 * @see RFC 7592
 */
export class ClientRegistration {
  readonly #ports: ClientRegistrationPorts

  constructor(ports: ClientRegistrationPorts) {
    this.#ports = ports
  }

  /** The provider takes this key too, from now on. @throws Fault */
  add(key: JWK, signal: AbortSignal): Promise<Registered> {
    return this.#changeKeys(async (keys) => [...(await without(keys, key)), key], signal)
  }

  /** The provider takes this key no more, whatever it is called there. @throws Fault */
  withdraw(key: JWK, signal: AbortSignal): Promise<Registered> {
    return this.#changeKeys((keys) => without(keys, key), signal)
  }

  async #changeKeys(change: (keys: readonly JWK[]) => Promise<readonly JWK[]>, signal: AbortSignal): Promise<Registered> {
    const known = await this.#ask('GET', undefined, signal)
    if (typeof known === 'string') return { kind: 'not-done', objection: known }
    if (known.client_id !== this.#ports.clientId) return { kind: 'not-done', objection: 'the registration is of another client' }
    if (known.jwks_uri !== undefined) return { kind: 'not-done', objection: 'the provider reads the keys of this client at a URL, not from its registration' }
    const next = { ...known, jwks: { keys: await change(known.jwks?.keys ?? []) } }
    const sent = Object.fromEntries(Object.entries(next).filter(([name]) => !written.has(name)))
    const answer = await this.#ask('PUT', JSON.stringify(sent), signal)
    return typeof answer === 'string' ? { kind: 'not-done', objection: answer } : { kind: 'done' }
  }

  /** Why there is no answer, or the answer. */
  async #ask(method: 'GET' | 'PUT', body: string | undefined, signal: AbortSignal): Promise<Metadata | string> {
    const { http, url, token, keepToken } = this.#ports
    const current = await token()
    if (current === undefined) return 'the secret with the registration access token is not set'
    const headers = { accept: 'application/json', authorization: `Bearer ${current}`, ...(body !== undefined && { 'content-type': 'application/json' }) }
    let answer: Response
    let read: unknown
    try {
      answer = await http.fetch(url, { method, headers, body, signal })
      read = await answer.json().catch(() => undefined)
    } catch (error) {
      return `the registration was not reached${error instanceof NotSent ? '' : ', or did not answer'}: ${error instanceof Error ? error.message : 'unknown'}`
    }
    if (answer.status === 401) return 'the registration access token is not accepted: set a new one that the provider gives'
    if (answer.status !== 200) return `the provider answered ${answer.status} to ${method} of the registration`
    const parsed = metadata.safeParse(read)
    if (!parsed.success) return 'what the provider says of the registration cannot be read'
    const next = parsed.data.registration_access_token
    // RFC 7592 section 3: the one before may be dead already.
    if (next !== undefined && next !== current) await keepToken(next)
    return parsed.data
  }
}

async function without(keys: readonly JWK[], key: JWK): Promise<readonly JWK[]> {
  const sought = await calculateJwkThumbprint(key)
  const thumbprints = await Promise.all(keys.map((each) => calculateJwkThumbprint(each).catch(() => undefined))) // of a kind that is not known: not ours
  return keys.filter((_, index) => thumbprints[index] !== sought)
}
