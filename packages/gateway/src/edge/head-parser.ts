import { refused, type Refused } from '@sallyport/contract'
import { judgeFields, upgradeRefused, type HeadFields } from './head-fields.ts'
import type { HeaderLines } from './inbound.ts'
import type { EdgeLimits } from './limits.ts'
import { parseTarget } from './target.ts'

export interface Head {
  readonly kind: 'head'
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderLines
  readonly fields: HeadFields
  /** Where the head ends and what follows it begins. */
  readonly end: number
}

/** Nothing is wrong so far, but the head's end has not arrived. */
export interface Incomplete {
  readonly kind: 'incomplete'
  /** How many bytes need not be looked at again. */
  readonly scanned: number
}

const methodToken = /^[A-Z][A-Z-]{0,31}$/
/** RFC 9110 token without the underscore: CGI and many frameworks take `a_b` and `a-b` for one header. */
const nameToken = /^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/

/**
 * Parses the head of an HTTP/1.1 request, strictly: CRLF line ends only, ASCII only, no folding, no version but HTTP/1.1, a target in origin form.
 * What a lenient peer would repair is refused as `edge.malformed`, what passes a limit as `edge.too-large`.
 *
 * `scanned` is what the previous call for this head returned, so that a head arriving byte by byte is looked at once. The result is the same however the
 * bytes were split.
 *
 * @see RFC 9112 sections 2 to 5
 */
export function parseHead(bytes: Buffer, scanned: number, limits: EdgeLimits): Head | Incomplete | Refused {
  const scan = scanHead(bytes, scanned, limits.headBytes)
  if (scan.kind !== 'complete') return scan
  const lines = bytes.toString('latin1', 0, scan.end - 4).split('\r\n')
  const request = parseRequestLine(lines[0] ?? '', limits.targetBytes)
  if (request.kind === 'refused') return request
  if (lines.length - 1 > limits.headerCount) return tooLarge(`A request has at most ${limits.headerCount} header fields.`)
  const headers: [string, string][] = []
  for (let index = 1; index < lines.length; index++) {
    const header = parseHeaderLine(lines[index] ?? '', limits.headerBytes)
    if ('kind' in header) return header
    headers.push(header)
  }
  const fields = judgeFields(request.method, headers, limits.bodyBytes)
  if (fields.kind === 'refused') return fields
  const { method, path, query } = request
  return { kind: 'head', method, path, query, headers, fields, end: scan.end }
}

const tab = 0x09
const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Finds the empty line. Every byte up to it is visible ASCII, a space, a tab, or part of a CRLF. */
function scanHead(bytes: Buffer, from: number, headBytes: number): { kind: 'complete'; end: number } | Incomplete | Refused {
  const last = Math.min(bytes.length, headBytes)
  for (let index = from; index < last; index++) {
    const byte = bytes[index] ?? 0
    if (byte >= 0x20 && byte < 0x7f) continue
    if (byte === tab) continue
    if (byte !== carriageReturn) {
      if (byte === lineFeed) return malformed('A line ends without a carriage return.')
      return malformed('The head has a byte that is not visible ASCII.')
    }
    if (index + 1 >= last) return last === headBytes ? headTooLarge(headBytes) : { kind: 'incomplete', scanned: index }
    if (bytes[index + 1] !== lineFeed) return malformed('A carriage return does not end a line.')
    if (index === 0) return malformed('The request starts with an empty line.')
    if (bytes[index - 1] === lineFeed) return { kind: 'complete', end: index + 2 }
    index++
  }
  return last === headBytes ? headTooLarge(headBytes) : { kind: 'incomplete', scanned: last }
}

function parseRequestLine(line: string, targetBytes: number): { kind: 'request'; method: string; path: string; query: string } | Refused {
  const [method = '', target = '', version, ...rest] = line.split(' ', 4)
  if (version === undefined || rest.length > 0) return malformed('The request line is not a method, a target and a version with single spaces.')
  if (version !== 'HTTP/1.1') return malformed('The only version is HTTP/1.1.')
  if (method === 'CONNECT') return upgradeRefused
  if (!methodToken.test(method)) return malformed('The method is not an upper-case token.')
  if (target.length > targetBytes) return tooLarge(`A target has at most ${targetBytes} bytes.`)
  const parsed = parseTarget(target)
  return parsed.kind === 'refused' ? parsed : { kind: 'request', method, path: parsed.path, query: parsed.query }
}

function parseHeaderLine(line: string, headerBytes: number): [string, string] | Refused {
  if (line.length > headerBytes) return tooLarge(`A header line has at most ${headerBytes} bytes.`)
  // RFC 9112 5.2: folding hides a header from readers that do not know it.
  if (line.startsWith(' ') || line.startsWith('\t')) return malformed('A header is folded over several lines.')
  const colon = line.indexOf(':')
  if (colon < 0) return malformed('A header line has no colon.')
  const name = line.slice(0, colon)
  if (!nameToken.test(name)) return malformed('A header name is not a token without underscores.')
  return [name.toLowerCase(), line.slice(colon + 1).trim()]
}

function malformed(detail: string): Refused {
  return refused('edge.malformed', undefined, { detail })
}

function tooLarge(detail: string): Refused {
  return refused('edge.too-large', undefined, { detail })
}

function headTooLarge(headBytes: number): Refused {
  return tooLarge(`A head has at most ${headBytes} bytes.`)
}
