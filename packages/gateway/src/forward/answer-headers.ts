import { connectionOptions } from '../access/http/forwardable-headers.ts'
import type { HeaderLines } from '../edge/inbound.ts'

/** Fields of one hop. @see RFC 9110 section 7.6.1 */
const hopByHop = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authentication-info',
]

/**
 * What an answer must not bring to the agent. The framing is the edge's. A cookie would be the session of the gateway at the upstream, shared by all its agents.
 * `alt-svc` would lead the agent around the gateway; the others speak about the gateway's own host.
 */
const notForAgents = [
  'content-length',
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'clear-site-data',
  'nel',
  'report-to',
  'reporting-endpoints',
]

const dropped: ReadonlySet<string> = new Set([...hopByHop, ...notForAgents])

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** The fields that reach the agent, names in lower case, or undefined when a name or value holds bytes that RFC 9110 section 5 forbids. */
export function readAnswerHeaders(raw: readonly (Buffer | string)[]): { readonly all: HeaderLines; readonly endToEnd: HeaderLines } | undefined {
  const all: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = textOf(raw[index])
    const value = textOf(raw[index + 1]).trim()
    if (!token.test(name) || !fieldValue.test(value)) return undefined
    all.push([name.toLowerCase(), value])
  }
  const named = connectionOptions(all)
  return { all, endToEnd: all.filter(([name]) => !dropped.has(name) && !named.has(name) && !name.startsWith('x-sallyport-') && !name.startsWith('sallyport-')) }
}

function textOf(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes?.toString('latin1') ?? '')
}
