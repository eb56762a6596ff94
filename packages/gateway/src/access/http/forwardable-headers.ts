import type { HeaderLines } from '../../edge/inbound.ts'
import type { HttpUpstreamAccess } from './compile-http-upstream.ts'

export type ForwardableHeaders = { readonly kind: 'malformed'; readonly reason: string } | { readonly kind: 'read'; readonly headers: HeaderLines }

/** What an upstream is told of a call beside its target and body. Everything else could be the word of a proxy, or a credential, of which no list is complete. */
const passed: ReadonlySet<string> = new Set(['accept', 'user-agent', 'cache-control', 'range', 'prefer', 'idempotency-key', 'traceparent', 'tracestate'])
const passedPrefixes = ['accept-', 'content-', 'if-']

/** Fields of one hop (RFC 9110 section 7.6.1), of the message's framing, and credentials of the agent for the gateway. No configuration lets them pass. */
const neverPassed: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'content-length',
  'expect',
  'max-forwards',
  'via',
  'forwarded',
  'authorization',
  'cookie',
  'cookie2',
])
const neverPassedPrefixes = ['proxy-', 'x-forwarded-', 'sallyport-', 'x-sallyport-']

/** Why a configuration cannot let a field pass; undefined when it can. */
export function objectionToPassing(name: string, credentialHeader: string | undefined): string | undefined {
  if (name === credentialHeader) return 'the gateway fills this header itself'
  return mayPass(name) ? undefined : 'this header is between the agent and the gateway, or says what only a proxy can say'
}

/** What was computed over the bytes that the agent wrote, and no longer fits the judged value that is sent. */
const overTheBytes: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest'])

const traceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/**
 * The end-to-end fields that may reach the upstream: those of every call, and those that its configuration names. A field that could not be written as one line is malformed,
 * whatever the edge let through (CWE-113).
 *
 * `traceparent` passes when it is well-formed, and `tracestate` only beside it.
 *
 * @see W3C Trace Context section 3.2
 */
export function forwardableHeaders(
  headers: HeaderLines,
  { credentialHeader, passedHeaders }: Pick<HttpUpstreamAccess, 'credentialHeader' | 'passedHeaders'>,
  hasJudgedBody: boolean,
): ForwardableHeaders {
  const named = connectionOptions(headers)
  const traces = headers.filter(([name]) => name === 'traceparent')
  const isTraced = traces.length === 1 && traceparent.test(traces[0]?.[1] ?? '')
  const kept: (readonly [string, string])[] = []
  for (const line of headers) {
    const [name, value] = line
    if (!/^[!#$%&'*+.^`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      return { kind: 'malformed', reason: 'a header field is not well-formed' }
    const isWanted = passed.has(name) || passedHeaders.has(name) || passedPrefixes.some((prefix) => name.startsWith(prefix))
    if (!isWanted || !mayPass(name) || named.has(name) || name === credentialHeader) continue
    if (hasJudgedBody && overTheBytes.has(name)) continue
    if ((name === 'traceparent' || name === 'tracestate') && !isTraced) continue
    kept.push(line)
  }
  return { kind: 'read', headers: kept }
}

function mayPass(name: string): boolean {
  return !neverPassed.has(name) && !neverPassedPrefixes.some((prefix) => name.startsWith(prefix))
}

/** The fields that `Connection` declares to be of this hop. */
export function connectionOptions(headers: HeaderLines): ReadonlySet<string> {
  const options = new Set<string>()
  for (const [name, value] of headers) if (name === 'connection') for (const option of value.split(',')) options.add(option.trim().toLowerCase())
  return options
}
