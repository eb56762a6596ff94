import { parseJson, refused, type JsonObject, type Refused } from '@sallyport/contract'
import { z } from 'zod'
import { isJson, parseMediaType } from '../../access/media-type.ts'
import { matchesAny, type ClientLoginDefinition } from './client-login-definition.ts'
import type { ProviderHttp } from './provider-http.ts'

/** Of a whole document. @see draft-ietf-oauth-client-id-metadata-document section 6.6 */
export const documentBytesMax = 16_384
/** For a document, its name looked up and its connection made. */
export const documentMsMax = 5000
/** For so long a document is believed. */
export const documentKeptMs = 300_000
export const documentsKeptMax = 64
/** Documents on their way at once: whoever can open a page in a browser beside the bridge can have one fetched. */
export const documentsFetchedMax = 8
/** Of these, for one agent: a host that answers slowly must not hold up the others. */
export const documentsOfAgentMax = 2
/** For so long a document that could not be had is not asked for again. */
export const documentRefusedMs = 30_000
const redirectsMax = 32

/** A program by its own words, under a name that only it can have. */
export interface ClientDocument {
  /** The `client_id`, where the document was found. */
  readonly id: string
  /** Of the `client_id`: what a person can judge the program by. */
  readonly host: string
  /** As it calls itself. Proves nothing. */
  readonly name: string | undefined
  readonly redirects: readonly string[]
}

const document = z.object({
  client_id: z.string().max(2048),
  client_name: z.string().max(128).optional(),
  redirect_uris: z.array(z.string().max(2048)).min(1).max(redirectsMax),
  token_endpoint_auth_method: z.literal('none').optional(),
  grant_types: z.array(z.string()).optional(),
  response_types: z.array(z.string()).optional(),
})

export interface ClientDocumentsPorts {
  readonly http: ProviderHttp
  readonly definition: Pick<ClientLoginDefinition, 'hosts'>
  readonly now: () => number
}

/**
 * What programs say of themselves, at the https address that is their `client_id`.
 *
 * Fetching what a stranger names is how a server is made to ask inside its network. So: https alone, no redirect, an address that is classified where it is dialled,
 * few bytes, little time, few at once; and nothing of what came back is shown to whoever asked but what a person is to judge.
 *
 * @see draft-ietf-oauth-client-id-metadata-document-00 sections 3, 4 and 6
 */
export class ClientDocuments {
  readonly #ports: ClientDocumentsPorts
  readonly #kept = new Map<string, { readonly document: ClientDocument | Refused; readonly until: number }>()
  readonly #fetching = new Map<string, { readonly agent: string; readonly found: Promise<ClientDocument | Refused> }>()

  constructor(ports: ClientDocumentsPorts) {
    this.#ports = ports
  }

  /** For the agent through which it was asked for. Refuses `login.client-refused`, with a reason for the log alone, and `edge.overloaded`. */
  async read(id: string, agent: string): Promise<ClientDocument | Refused> {
    const { definition, now } = this.#ports
    const url = parseClientId(id)
    if (!url) return no('client_id is no https address of a document')
    if (!matchesAny(definition.hosts, url.host)) return no(`programs of ${url.host} are not allowed here`)
    const kept = this.#kept.get(id)
    if (kept && now() < kept.until) return kept.document
    const underWay = this.#fetching.get(id)
    if (underWay) return underWay.found
    const own = [...this.#fetching.values()].filter((fetching) => fetching.agent === agent)
    if (this.#fetching.size >= documentsFetchedMax || own.length >= documentsOfAgentMax)
      return refused('edge.overloaded', 'too many documents of programs are on their way', { retryAfterSeconds: 1 })
    const found = this.#fetch(url)
    this.#fetching.set(id, { agent, found })
    try {
      return this.#keep(id, await found)
    } finally {
      this.#fetching.delete(id)
    }
  }

  #keep(id: string, found: ClientDocument | Refused): ClientDocument | Refused {
    this.#kept.delete(id)
    this.#kept.set(id, { document: found, until: this.#ports.now() + ('problem' in found ? documentRefusedMs : documentKeptMs) })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= documentsKeptMax) break
      this.#kept.delete(oldest)
    }
    return found
  }

  async #fetch(url: URL): Promise<ClientDocument | Refused> {
    let answer: Response
    try {
      answer = await this.#ports.http.fetch(url.href, { method: 'GET', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(documentMsMax) })
    } catch (error) {
      return no(`its document cannot be fetched: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (answer.status !== 200) return no(`its document was answered with ${answer.status}`)
    const type = parseMediaType(answer.headers.get('content-type') ?? '')
    if (!type || !isJson(type)) return no('its document is not JSON')
    const parsed = parseJson(new Uint8Array(await answer.arrayBuffer()))
    if (parsed.kind === 'refused') return no(`its document is not JSON: ${parsed.reason}`)
    return readDocument(url, parsed.value)
  }
}

function readDocument(url: URL, value: unknown): ClientDocument | Refused {
  const read = document.safeParse(value)
  if (!read.success) return no(`its document does not fit: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`)
  const { client_id: id, client_name: name, redirect_uris: redirects, grant_types: grants, response_types: responses } = read.data
  // Or whoever can put a file on a host could pose as any program.
  if (id !== url.href) return no('its document is about another client_id')
  // Whoever knows a secret that the world can read is nobody in particular.
  if (Object.keys(value as JsonObject).some((member) => member.startsWith('client_secret'))) return no('its document holds a secret')
  if (grants && !grants.includes('authorization_code')) return no('its document does not ask for the code grant')
  if (responses && !responses.includes('code')) return no('its document does not ask for codes')
  return { id, host: url.host, name, redirects }
}

/** An address without anything that two readers could read differently. */
function parseClientId(id: string): URL | undefined {
  const url = id.length <= 2048 ? URL.parse(id) : null
  if (!url || url.protocol !== 'https:' || url.href !== id || url.pathname === '/') return undefined
  return url.username === '' && url.password === '' && url.search === '' && !id.includes('#') && !id.includes('?') ? url : undefined
}

function no(reason: string): Refused {
  return refused('login.client-refused', reason, { detail: 'Nobody was asked, and nothing was sent anywhere. The operator’s log says more.' })
}
