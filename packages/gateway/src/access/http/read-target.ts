import { segmentsMax } from './operation-template.ts'

/** A path and query read once, and written anew from what was read, so that no server downstream reads anything else. */
export interface Target {
  readonly segments: readonly string[]
  /** Decoded, in their order. */
  readonly parameters: readonly Parameter[]
  /** To be sent: what is not plain is percent-encoded, and nothing else. */
  readonly text: string
}

export type ReadTarget = { readonly kind: 'malformed'; readonly reason: string } | ({ readonly kind: 'read' } & Target)

const queryParametersMax = 512

/**
 * Decodes each segment, name and value exactly once.
 *
 * Malformed: percent signs that encode nothing, bytes that are not UTF-8, control characters, dot segments in any spelling, an encoded slash or backslash unless
 * `encodedSlashes`, empty segments but the last.
 */
export function readTarget(path: string, query: string, encodedSlashes: boolean): ReadTarget {
  const texts = path.slice(1).split('/')
  if (texts.length > segmentsMax) return malformed(`the path has more than ${segmentsMax} segments`)
  const segments: string[] = []
  for (const [index, text] of texts.entries()) {
    const segment = decodeOnce(text)
    if (segment === undefined) return malformed('the path is not well encoded')
    const objection = objectionToSegment(segment, index === texts.length - 1, encodedSlashes)
    if (objection !== undefined) return malformed(objection)
    segments.push(segment)
  }
  const parameters = decodeQuery(query)
  if (!parameters) return malformed('the query is not well encoded')
  if (parameters.length > queryParametersMax) return malformed(`the query has more than ${queryParametersMax} parameters`)
  const written = parameters.map(({ name, value }) => (value === undefined ? encode(name) : `${encode(name)}=${encode(value)}`)).join('&')
  const text = `/${segments.map(encode).join('/')}${written === '' ? '' : `?${written}`}`
  return { kind: 'read', segments, parameters, text }
}

function malformed(reason: string): ReadTarget {
  return { kind: 'malformed', reason }
}

function objectionToSegment(segment: string, isLast: boolean, encodedSlashes: boolean): string | undefined {
  if (segment === '' && !isLast) return 'the path has an empty segment'
  if (segment === '.' || segment === '..') return 'the path has a dot segment'
  // CWE-113, CWE-158: a server that decodes again must not find the end of a line or a string.
  if (hasControls(segment)) return 'the path has control characters'
  if (!/[/\\]/.test(segment)) return undefined
  if (!encodedSlashes) return 'the path has an encoded slash or a backslash'
  const isTraversal = segment.split(/[/\\]/).some((part) => part === '.' || part === '..')
  return isTraversal ? 'the path has an encoded dot segment' : undefined
}

export interface Parameter {
  readonly name: string
  /** Absent when there was no equals sign. */
  readonly value: string | undefined
}

/** Form encoding: a plus sign is a space. Empty pieces between ampersands are dropped. @see https://url.spec.whatwg.org/#urlencoded-parsing */
function decodeQuery(query: string): readonly Parameter[] | undefined {
  const parameters: Parameter[] = []
  for (const piece of query.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = decodeOnce(equals === -1 ? piece : piece.slice(0, equals), ' ')
    const value = equals === -1 ? undefined : decodeOnce(piece.slice(equals + 1), ' ')
    if (name === undefined || (equals !== -1 && value === undefined)) return undefined
    if (name.includes('\0') || value?.includes('\0')) return undefined
    parameters.push({ name, value })
  }
  return parameters
}

/** Only visible ASCII stands unencoded; `%` must be followed by two hexadecimal digits, and the bytes must be UTF-8. */
function decodeOnce(text: string, plus: '+' | ' ' = '+'): string | undefined {
  if (/[^\x21-\x7e]/.test(text)) return undefined
  try {
    return decodeURIComponent(plus === '+' ? text : text.replaceAll('+', plus))
  } catch {
    return undefined
  }
}

/** Encodes also `;`, which some servers cut a segment or a query at. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|2C|3A|40)/g, decodeURIComponent)
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 || unit === 0x7f) return true
  }
  return false
}
