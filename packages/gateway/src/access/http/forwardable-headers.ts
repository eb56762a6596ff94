import type { HeaderLines } from '../../edge/inbound.ts'

export type ForwardableHeaders = { readonly kind: 'malformed'; readonly reason: string } | { readonly kind: 'read'; readonly headers: HeaderLines }

/** Fields of one hop (RFC 9110 section 7.6.1) and of the message's framing, which the gateway writes itself. */
const ofThisHop = [
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
]

/** The agent's credentials are for the gateway. */
const credentials = ['authorization', 'cookie', 'cookie2']

/** What a proxy in front of an application says about the caller, or about which request was "really" meant: an agent must not speak in its place. */
const wordOfAProxy = [
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-user',
  'x-authenticated-user',
  'x-client-cert',
  'true-client-ip',
  'client-ip',
  'remote-user',
  'x-host',
  'x-original-host',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-http-path-override',
  'x-sendfile',
]
const wordOfAProxyPrefixes = ['proxy-', 'x-forwarded-', 'x-envoy-', 'x-auth-request-', 'x-ssl-', 'x-accel-', 'x-middleware-', 'x-sallyport-', 'sallyport-']

/** What was computed over the bytes that the agent wrote, and no longer fits the judged value that is sent. */
const overTheBytes = ['content-md5', 'digest', 'content-digest', 'repr-digest']

const dropped: ReadonlySet<string> = new Set([...ofThisHop, ...credentials, ...wordOfAProxy])
const droppedWithJudgedBody: ReadonlySet<string> = new Set(overTheBytes)

const traceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/**
 * The end-to-end fields that may reach the upstream. A field that could not be written as one line is malformed, whatever the edge let through (CWE-113).
 *
 * `traceparent` passes when it is well-formed, and `tracestate` only beside it.
 *
 * @see W3C Trace Context section 3.2
 */
export function forwardableHeaders(headers: HeaderLines, credentialHeader: string | undefined, hasJudgedBody: boolean): ForwardableHeaders {
  const named = connectionOptions(headers)
  const traces = headers.filter(([name]) => name === 'traceparent')
  const isTraced = traces.length === 1 && traceparent.test(traces[0]?.[1] ?? '')
  const kept: (readonly [string, string])[] = []
  for (const line of headers) {
    const [name, value] = line
    if (!/^[!#$%&'*+.^`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      return { kind: 'malformed', reason: 'a header field is not well-formed' }
    if (dropped.has(name) || named.has(name) || name === credentialHeader || wordOfAProxyPrefixes.some((prefix) => name.startsWith(prefix))) continue
    if (hasJudgedBody && droppedWithJudgedBody.has(name)) continue
    if ((name === 'traceparent' || name === 'tracestate') && !isTraced) continue
    kept.push(line)
  }
  return { kind: 'read', headers: kept }
}

/** The fields that `Connection` declares to be of this hop. */
export function connectionOptions(headers: HeaderLines): ReadonlySet<string> {
  const options = headers.filter(([name]) => name === 'connection').flatMap(([, value]) => value.split(','))
  return new Set(options.map((option) => option.trim().toLowerCase()))
}
