import type { HeaderLines } from '../edge/inbound.ts'
import type { UpstreamRequest } from './exchange.ts'

/** The connection's own fields, which undici writes. */
const framing: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect'])

/** Fields that ask for an answer in which neither an echo of the credential could be found nor what rules look for. */
const uncheckable: ReadonlySet<string> = new Set(['accept-encoding', 'te', 'range', 'if-range'])

/** Names and values in turn. What frames the message or stands in for the credential is dropped even if an earlier stage let it pass. */
export function outgoingHeaders({ headers, body, bodyBytes, legible }: UpstreamRequest, credential: readonly [string, string] | undefined): string[] {
  const lines: string[] = []
  const isLegible = credential !== undefined || legible === 'required'
  for (const [name, value] of headers) {
    if (framing.has(name) || name === credential?.[0] || (isLegible && uncheckable.has(name)) || (legible && name === 'accept-encoding')) continue
    lines.push(name, value)
  }
  if (credential) lines.push(credential[0], credential[1])
  if (isLegible || legible) lines.push('accept-encoding', 'identity')
  if (bodyBytes !== undefined && body !== undefined && !(body instanceof Uint8Array)) lines.push('content-length', String(bodyBytes))
  return lines
}

/** Request splitting, CWE-113: what would be written as more than one line or one word never gets near a socket. */
export function checkWritable(path: string, headers: HeaderLines): void {
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new TypeError('the target of a request is one word of printable ASCII')
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new TypeError('a header field has one line, and its name is a token in lower case')
  }
}
