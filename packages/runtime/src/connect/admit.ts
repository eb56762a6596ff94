import { refused, type Refused } from '@sallyport/contract'
import { firstHeader, type HeaderPairs } from '../link/header-pairs.ts'
import { isSecret, type ClientSecret } from './client-secret.ts'

/** A request to the bridge, before anything is believed. */
export interface Arrived {
  readonly method: string
  /** As in the request line. */
  readonly target: string
  readonly headers: HeaderPairs
}

export interface AdmissionRules {
  readonly authorities: ReadonlySet<string>
  readonly allowedOrigins: ReadonlySet<string>
  readonly secret: ClientSecret
}

export type Admitted =
  | { readonly kind: 'direct'; readonly pathAndQuery: string }
  /** A request to a proxy: `authority` in lower case, with a port only where one was written. */
  | { readonly kind: 'proxied'; readonly authority: string; readonly pathAndQuery: string }
  /** A browser asks whether a page of an allowed origin may ask; it carries no secret and reaches nothing. */
  | { readonly kind: 'preflight' }

const singletons = ['host', 'origin', 'authorization', 'proxy-authorization', 'x-sallyport-secret', 'content-length', 'content-type']
const absoluteForm = /^http:\/\/([A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)(\/[^#]*)?$/i

/**
 * Decides who may use the bridge. The checks, in order:
 *
 * | check | refuses as |
 * |---|---|
 * | exactly one Host, no doubled field that is judged here | `edge.malformed` |
 * | the target is a path, or an `http://` URL (a proxy client's) | `edge.malformed` |
 * | Host is the bridge's own authority, or the URL's (RFC 9112 section 3.2.2) | `connect.host-refused` |
 * | Origin is absent or allowed | `connect.origin-refused` |
 * | the client secret | `connect.secret-required`, `connect.proxy-secret-required` |
 * | the secret is not in the target, where logs would keep it | `edge.malformed` |
 */
export function admit({ authorities, allowedOrigins, secret }: AdmissionRules, { method, target, headers }: Arrived): Admitted | Refused {
  const doubled = singletons.find((name) => headers.filter(([candidate]) => candidate.toLowerCase() === name).length > 1)
  const host = firstHeader(headers, 'host')?.toLowerCase()
  if (doubled !== undefined || host === undefined)
    return refused('edge.malformed', undefined, { detail: `The request must carry exactly one ${doubled ?? 'host'} header.` })

  const asked = parseTarget(target)
  if (asked === undefined) {
    const detail = 'Ask for a path, or, through the proxy, for an http:// URL without user, fragment or https: the gateway adds TLS on the way onward.'
    return refused('edge.malformed', undefined, { detail })
  }

  // DNS rebinding: a page's own name is led to 127.0.0.1, and its browser calls us same-origin, but still with the page's name as Host.
  if (asked.kind === 'direct' && !authorities.has(host)) {
    return refused('connect.host-refused', undefined, { detail: `Call the bridge as ${[...authorities].join(', ')}.` })
  }
  if (asked.kind === 'proxied' && host !== asked.authority) {
    return refused('edge.malformed', undefined, { detail: 'The Host header must name the host of the URL.' })
  }

  const origin = firstHeader(headers, 'origin')
  if (origin !== undefined && !allowedOrigins.has(origin)) {
    return refused('connect.origin-refused', undefined, { detail: 'Start the bridge with --allow-origin to let pages of this origin use it.' })
  }
  if (origin !== undefined && method === 'OPTIONS' && firstHeader(headers, 'access-control-request-method') !== undefined) return { kind: 'preflight' }

  if (asked.kind === 'proxied' && !holdsProxySecret(headers, secret)) {
    const detail = 'Use the proxy URL http://sallyport:SECRET@... with the secret that "sallyport connect --print-secret" prints.'
    return refused('connect.proxy-secret-required', undefined, { detail })
  }
  if (asked.kind === 'direct' && !holdsSecret(headers, secret)) {
    const detail = 'Send "Authorization: Bearer SECRET" or "X-Sallyport-Secret: SECRET" with the secret that "sallyport connect --print-secret" prints.'
    return refused('connect.secret-required', undefined, { detail })
  }
  if (target.includes(secret))
    return refused('edge.malformed', 'the client secret is in the target', { detail: 'The client secret belongs into a header, never into a URL.' })
  return asked
}

function parseTarget(target: string): Exclude<Admitted, { kind: 'preflight' }> | undefined {
  if (target.startsWith('/')) return { kind: 'direct', pathAndQuery: target }
  const [, authority, path] = absoluteForm.exec(target) ?? []
  return authority === undefined ? undefined : { kind: 'proxied', authority: authority.toLowerCase(), pathAndQuery: path ?? '/' }
}

function holdsSecret(headers: HeaderPairs, secret: ClientSecret): boolean {
  const own = firstHeader(headers, 'x-sallyport-secret')
  const [, bearer] = /^bearer +(\S+)$/i.exec(firstHeader(headers, 'authorization') ?? '') ?? []
  return [own, bearer].some((presented) => presented !== undefined && isSecret(presented, secret))
}

function holdsProxySecret(headers: HeaderPairs, secret: ClientSecret): boolean {
  const [, encoded] = /^basic +(\S+)$/i.exec(firstHeader(headers, 'proxy-authorization') ?? '') ?? []
  if (encoded === undefined) return false
  const credentials = Buffer.from(encoded, 'base64').toString('latin1')
  return isSecret(credentials.slice(credentials.indexOf(':') + 1), secret)
}
