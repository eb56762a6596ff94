import { createSecureContext, type SecureContext } from 'node:tls'
import { GatheredBytes } from '@sallyport/contract'
import { Agent, request } from 'undici'
import { dial, type Resolver } from '../../forward/dial.ts'
import { objectionToUrl, type ProviderDefinition } from './provider-definition.ts'

/** Of an answer of a provider: metadata, keys and tokens have a few KiB. */
const answerBytesMax = 262_144

/** No connection to the provider came about: certainly nothing was sent. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
}

/** One request to a provider, as `fetch` takes it. */
export interface ProviderRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: URLSearchParams | string | Uint8Array | null | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the gateway shows to a provider that knows it by its certificate. */
export interface ClientCertificate {
  readonly certificatePem: string
  readonly keyPem: string
}

type HttpTerms = Pick<ProviderDefinition, 'addresses' | 'caPem' | 'connectMs' | 'totalMs'>

/** The way to one identity provider. */
export interface ProviderHttp {
  /**
   * Sends one request over a connection of its own. Follows no redirect and repeats nothing; the address is classified where it is dialled, so that metadata can
   * lead nowhere that the configuration does not name. Rejects with `NotSent`, or with whatever broke it off: then it is not known what the provider did.
   */
  fetch(url: string, request: ProviderRequest, certificate?: ClientCertificate): Promise<Response>
  close(): Promise<void>
}

export function openProviderHttp(definition: HttpTerms, resolver: Resolver, bytesMax = answerBytesMax): ProviderHttp {
  const { totalMs } = definition
  const closing = new AbortController()
  let shown: { readonly certificate: ClientCertificate | undefined; readonly context: SecureContext } | undefined
  const contextFor = (certificate: ClientCertificate | undefined): SecureContext => {
    if (shown?.certificate?.certificatePem !== certificate?.certificatePem || shown?.certificate?.keyPem !== certificate?.keyPem || !shown)
      shown = { certificate, context: secureContext(definition, certificate) }
    return shown.context
  }
  return {
    fetch: async (url, { method, headers, body, signal }, certificate) => {
      const objection = objectionToUrl(url)
      if (objection !== undefined) throw new NotSent(objection)
      const agent = agentFor(definition, resolver, contextFor(certificate))
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: method as 'GET', // one of few words of the OAuth library
          headers: { ...headers, 'accept-encoding': 'identity' },
          body: body instanceof URLSearchParams ? body.toString() : (body ?? null),
          signal: AbortSignal.any([AbortSignal.timeout(totalMs), closing.signal, ...(signal ? [signal] : [])]),
        })
        const gathered = new GatheredBytes()
        for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
          gathered.add(piece)
          if (gathered.length > bytesMax) throw new Error(`the provider answered with more than ${bytesMax} bytes`)
        }
        const type = answer.headers['content-type']
        return new Response(bodyOf(answer.statusCode, gathered.take()), {
          status: answer.statusCode,
          headers: typeof type === 'string' ? { 'content-type': type } : {},
        })
      } finally {
        await agent.destroy()
      }
    },
    close: async () => closing.abort(),
  }
}

/** For one request. */
function agentFor({ addresses, connectMs, totalMs }: HttpTerms, resolver: Resolver, context: SecureContext): Agent {
  return new Agent({
    pipelining: 0,
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    connect: ({ protocol, hostname, port }, callback) => {
      const host = hostname.replace(/^\[|\]$/g, '')
      const isEncrypted = protocol === 'https:'
      dial(
        { host, port: Number(port || (isEncrypted ? 443 : 80)), addresses, connectMs, tls: isEncrypted ? { context, serverName: host } : undefined },
        resolver,
      ).then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(new NotSent(error instanceof Error ? error.message : 'not connected', { cause: error }), null),
      )
    },
  })
}

/** A `Response` takes no body with these. */
function bodyOf(status: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  return status === 204 || status === 205 || status === 304 ? null : new Uint8Array(bytes)
}

function secureContext({ caPem }: HttpTerms, certificate: ClientCertificate | undefined): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(caPem !== undefined && { ca: caPem }),
    ...(certificate && { key: certificate.keyPem, cert: certificate.certificatePem }),
  })
}

/** Whether the other side ended the connection in place of an answer. */
export function isBrokenOff(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof NotSent) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code.startsWith('ERR_SSL_')
}
