import { refused, type Refused } from '@sallyport/contract'
import type { HeaderLines } from './inbound.ts'

/** How the body is delimited. @see RFC 9112 section 6 */
export type Framing = { readonly kind: 'none' } | { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' }

/** What the header fields say about the message itself, for the edge alone. */
export interface HeadFields {
  readonly kind: 'fields'
  readonly framing: Framing
  /** The caller asked for the connection to be closed after the answer. */
  readonly isLast: boolean
  /** The caller waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
}

/** Fields of which two would let two readers pick different ones. */
const singletons = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'dpop',
  'expect',
  'from',
  'host',
  'idempotency-key',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'max-forwards',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'proxy-authorization',
  'range',
  'referer',
  'sallyport-ticket',
  'te',
  'traceparent',
  'transfer-encoding',
  'user-agent',
])

/** A name, an IPv4 address or a bracketed IPv6 address, and perhaps a port. */
const hostValue = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?:0|[1-9][0-9]{0,4}))?$/
const methodsWithoutBody = new Set(['GET', 'HEAD', 'TRACE'])

/**
 * Judges the fields by which messages are told apart. Every field that two implementations could read differently is refused as `edge.malformed`, a body
 * announced above `bodyBytes` as `edge.too-large`, upgrades as `edge.upgrade-refused`.
 *
 * @see RFC 9112 sections 6 and 11.2 (request smuggling)
 */
export function judgeFields(method: string, headers: HeaderLines, bodyBytes: number): HeadFields | Refused {
  const seen = new Set<string>()
  let length: number | undefined
  let isChunked = false
  let isLast = false
  let expectsContinue = false
  for (const [name, value] of headers) {
    if (singletons.has(name)) {
      if (seen.has(name)) return malformed(`There is more than one ${name} field.`)
      seen.add(name)
    }
    switch (name) {
      case 'host':
        if (!hostValue.test(value)) return malformed('The host field is not a host and port.')
        break
      case 'content-length':
        // No sign, no list, no leading zero: each has been read in two ways by someone.
        if (!/^(?:0|[1-9][0-9]*)$/.test(value)) return malformed('The content-length is not a plain decimal number.')
        length = value.length > 15 ? Number.POSITIVE_INFINITY : Number(value)
        break
      case 'transfer-encoding':
        if (value !== 'chunked') return malformed('The only transfer-encoding is chunked.')
        isChunked = true
        break
      case 'connection': {
        const options = connectionOptions(value)
        if (typeof options !== 'boolean') return options
        isLast = options
        break
      }
      case 'upgrade':
      case 'http2-settings':
        return upgradeRefused
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return malformed('The only expectation that can be met is 100-continue.')
        expectsContinue = true
        break
      case 'te':
        if (value !== '' && value !== 'trailers') return malformed('The te field is not understood.')
        break
      case 'trailer':
        return malformed('Trailer fields are not supported.')
    }
  }
  if (!seen.has('host')) return malformed('The host field is missing.')
  if (isChunked && length !== undefined) return malformed('There is a content-length beside a transfer-encoding.')
  if (isChunked && method === 'DELETE') return malformed('A DELETE with a body must announce its length.')
  if ((isChunked || (length ?? 0) > 0) && methodsWithoutBody.has(method)) return malformed(`A ${method} has no body.`)
  if ((length ?? 0) > bodyBytes) return refused('edge.too-large', undefined, { detail: `A body has at most ${bodyBytes} bytes.` })
  return { kind: 'fields', framing: framingOf(isChunked, length), isLast, expectsContinue }
}

export const upgradeRefused = refused('edge.upgrade-refused')

const noBody: Framing = { kind: 'none' }
const chunked: Framing = { kind: 'chunked' }

function framingOf(isChunked: boolean, length: number | undefined): Framing {
  if (isChunked) return chunked
  return length === undefined || length === 0 ? noBody : { kind: 'length', length }
}

/** Whether the connection is to be closed. An option that names a header (`Connection: authorization`) would have a proxy drop that header: refused. */
function connectionOptions(value: string): boolean | Refused {
  let isClosed = false
  let isKept = false
  for (const option of value.toLowerCase().split(',')) {
    switch (option.trim()) {
      case 'close':
        isClosed = true
        break
      case 'keep-alive':
        isKept = true
        break
      case 'te':
        break
      case 'upgrade':
        return upgradeRefused
      default:
        return malformed('The connection field has an option that is not supported.')
    }
  }
  return isClosed && isKept ? malformed('The connection field says both close and keep-alive.') : isClosed
}

function malformed(detail: string): Refused {
  return refused('edge.malformed', undefined, { detail })
}
