import { oauthMethod, refused, type Refused } from '@sallyport/contract'
import { firstHeader, type HeaderPairs } from '../link/header-pairs.ts'
import { isSecret, type ClientSecret } from './client-secret.ts'
import { withoutDefaultPort } from './upstream-hosts.ts'

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
  /** @see loginLimit */
  readonly takeLogin: () => number | undefined
}

export type Admitted =
  | {
      readonly kind: 'direct'
      readonly pathAndQuery: string
      /** The client's own token, which it shows beside the secret. @see RFC 6750 section 2.1 */
      readonly token?: string
      /** The client keeps its `Authorization` for such a token. */
      readonly canLogIn?: true
    }
  /** A request to a proxy: `authority` in lower case, with a port only where one was written. */
  | { readonly kind: 'proxied'; readonly authority: string; readonly pathAndQuery: string }
  /** A browser asks whether a page of an allowed origin may ask; it carries no secret and reaches nothing. */
  | { readonly kind: 'preflight' }

const singletons = ['host', 'origin', 'authorization', 'proxy-authorization', 'x-sallyport-secret', 'x-api-key', 'content-length', 'content-type']
const absoluteForm = /^http:\/\/([A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)(\/[^#]*)?$/i
const authorityForm = /^[A-Za-z0-9.-]{1,253}:[0-9]{1,5}$/

const originRefused = refused('connect.origin-refused', undefined, { detail: 'Start the bridge with --allow-origin to let pages of this origin use it.' })
const proxySecretRequired = refused('connect.proxy-secret-required', undefined, {
  detail: 'Use the proxy URL http://sallyport:SECRET@... with the secret that "sallyport connect --print-secret" prints.',
})
const secretInTarget = refused('edge.malformed', 'the client secret is in the target', {
  detail: 'The client secret belongs into a header, never into a URL.',
})

/**
 * Decides who may use the bridge. The checks, in order:
 *
 * | check | refuses as |
 * |---|---|
 * | exactly one Host, no doubled field that is judged here | `edge.malformed` |
 * | the target is a path, or an `http://` URL (a proxy client's) | `edge.malformed` |
 * | Host is the bridge's own authority, or the URL's (RFC 9112 section 3.2.2) | `connect.host-refused` |
 * | Origin is absent or allowed | `connect.origin-refused` |
 * | a login is a browser's own navigation, and nothing that a page loads | `connect.origin-refused` |
 * | so many requests of logins in a minute | `edge.overloaded` |
 * | the client secret, but for logins | `connect.secret-required`, `connect.proxy-secret-required` |
 * | the secret is not in the target, where logs would keep it | `edge.malformed` |
 *
 * A login needs no secret, since no browser has it and a client may not send it there. What comes of one is a token that counts nowhere without the secret, or the
 * key of the agent.
 */
export function admit({ authorities, allowedOrigins, secret, takeLogin }: AdmissionRules, { method, target, headers }: Arrived): Admitted | Refused {
  const host = onlyHost(headers)
  if (typeof host !== 'string') return host

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
  if (origin !== undefined && !allowedOrigins.has(origin)) return originRefused
  if (origin !== undefined && method === 'OPTIONS' && firstHeader(headers, 'access-control-request-method') !== undefined) return { kind: 'preflight' }

  if (asked.kind === 'proxied' && !holdsProxySecret(headers, secret)) return proxySecretRequired
  if (asked.kind === 'direct' && loginMethod(asked.pathAndQuery) === method) {
    if (!isNavigation(headers)) return originRefused
    const retryAfterSeconds = takeLogin()
    if (retryAfterSeconds !== undefined) return refused('edge.overloaded', 'too many requests of logins', { retryAfterSeconds })
  } else if (asked.kind === 'direct' && !holdsSecret(headers, secret)) {
    const detail = 'Send "Authorization: Bearer SECRET" or "X-Sallyport-Secret: SECRET" with the secret that "sallyport connect --print-secret" prints.'
    return refused('connect.secret-required', undefined, { detail })
  }
  if (target.includes(secret)) return secretInTarget
  return asked.kind === 'direct' ? { ...asked, ...ownToken(headers, secret) } : asked
}

function loginMethod(pathAndQuery: string): string | undefined {
  const [path = ''] = pathAndQuery.split('?', 1)
  return oauthMethod(path)
}

/**
 * Whether no page loads this by itself, as an image or a frame. Browsers say from where and what for they ask, and no page can change it; other programs do not say
 * from where. With an Origin the page was allowed by hand.
 *
 * @see W3C Fetch Metadata Request Headers
 */
function isNavigation(headers: HeaderPairs): boolean {
  if (firstHeader(headers, 'sec-fetch-site') === undefined || firstHeader(headers, 'origin') !== undefined) return true
  return firstHeader(headers, 'sec-fetch-mode') === 'navigate' && firstHeader(headers, 'sec-fetch-dest') === 'document'
}

/** What a client shows that keeps its Authorization for a token of its own, and so sends the secret in another field. */
function ownToken(headers: HeaderPairs, secret: ClientSecret): { readonly token?: string; readonly canLogIn?: true } {
  const authorization = firstHeader(headers, 'authorization')
  if (authorization === undefined) return { canLogIn: true }
  const [, bearer] = /^bearer +(\S+)$/i.exec(authorization) ?? []
  return bearer === undefined || isSecret(bearer, secret) ? {} : { token: bearer, canLogIn: true }
}

/** A tunnel that may be opened: `authority` in lower case, its port always written. */
export interface AdmittedTunnel {
  readonly kind: 'tunnel'
  readonly authority: string
}

/**
 * Decides who may open a tunnel (CONNECT): who shows the client secret as proxy password, and is no page of a foreign origin. Where it may lead is not judged here.
 * Refuses as `admit` does.
 *
 * @see RFC 9110 section 9.3.6; RFC 9112 section 3.2.3
 */
export function admitTunnel(
  { allowedOrigins, secret }: Pick<AdmissionRules, 'allowedOrigins' | 'secret'>,
  { target, headers }: Omit<Arrived, 'method'>,
): AdmittedTunnel | Refused {
  const host = onlyHost(headers)
  if (typeof host !== 'string') return host
  const authority = target.toLowerCase()
  if (!authorityForm.test(authority) || !namesSame(host, authority)) {
    return refused('edge.malformed', undefined, { detail: 'CONNECT names HOST:PORT, and the Host header the same.' })
  }
  const origin = firstHeader(headers, 'origin')
  if (origin !== undefined && !allowedOrigins.has(origin)) return originRefused
  return holdsProxySecret(headers, secret) ? { kind: 'tunnel', authority } : proxySecretRequired
}

/**
 * Decides about a request inside a tunnel, whose opener has shown the secret: it must be for the host of the tunnel and nothing else, or a tunnel to a harmless host
 * would be a way to another.
 */
export function admitInside(
  { allowedOrigins, secret }: Pick<AdmissionRules, 'allowedOrigins' | 'secret'>,
  authority: string,
  { target, headers }: Omit<Arrived, 'method'>,
): Extract<Admitted, { kind: 'proxied' }> | Refused {
  const host = onlyHost(headers)
  if (typeof host !== 'string') return host
  if (!target.startsWith('/') || !namesSame(host, authority)) {
    return refused('edge.malformed', undefined, { detail: `Inside this tunnel ask for a path, with "Host: ${withoutDefaultPort(authority)}".` })
  }
  const origin = firstHeader(headers, 'origin')
  if (origin !== undefined && !allowedOrigins.has(origin)) return originRefused
  return target.includes(secret) ? secretInTarget : { kind: 'proxied', authority, pathAndQuery: target }
}

/** The one Host, in lower case. No other field that is judged here may be doubled either: two readers could each see another one. */
function onlyHost(headers: HeaderPairs): string | Refused {
  const doubled = singletons.find((name) => headers.filter(([candidate]) => candidate.toLowerCase() === name).length > 1)
  const host = firstHeader(headers, 'host')?.toLowerCase()
  if (doubled === undefined && host !== undefined) return host
  return refused('edge.malformed', undefined, { detail: `The request must carry exactly one ${doubled ?? 'host'} header.` })
}

/** Whether Host names this authority; clients leave a default port out. */
function namesSame(host: string, authority: string): boolean {
  return host === authority || host === withoutDefaultPort(authority)
}

function parseTarget(target: string): Exclude<Admitted, { kind: 'preflight' }> | undefined {
  if (target.startsWith('/')) return { kind: 'direct', pathAndQuery: target }
  const [, authority, path] = absoluteForm.exec(target) ?? []
  return authority === undefined ? undefined : { kind: 'proxied', authority: authority.toLowerCase(), pathAndQuery: path ?? '/' }
}

function holdsSecret(headers: HeaderPairs, secret: ClientSecret): boolean {
  const own = firstHeader(headers, 'x-sallyport-secret')
  const [, bearer] = /^bearer +(\S+)$/i.exec(firstHeader(headers, 'authorization') ?? '') ?? []
  // Where clients of the Anthropic API put their key.
  const apiKey = firstHeader(headers, 'x-api-key')
  return [own, bearer, apiKey].some((presented) => presented !== undefined && isSecret(presented, secret))
}

function holdsProxySecret(headers: HeaderPairs, secret: ClientSecret): boolean {
  const [, encoded] = /^basic +(\S+)$/i.exec(firstHeader(headers, 'proxy-authorization') ?? '') ?? []
  if (encoded === undefined) return false
  const credentials = Buffer.from(encoded, 'base64').toString('latin1')
  return isSecret(credentials.slice(credentials.indexOf(':') + 1), secret)
}
