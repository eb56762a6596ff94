import { refused, type Refused } from '@sallyport/contract'

export interface Target {
  readonly kind: 'target'
  readonly path: string
  readonly query: string
}

/** RFC 3986 section 3.3: unreserved, sub-delims, `:`, `@`, and percent-encodings. */
const pathCharacters = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/
/** RFC 3986 section 3.4, and the few characters that the URL standard sends without encoding them. */
const queryCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?[\]{}|^`]|%[0-9A-Fa-f]{2})*$/
/** Encoded controls and the backslash, which Windows takes for a slash. */
const forbiddenInPath = /%(?:[01][0-9A-Fa-f]|7[Ff]|5[Cc])/
/** What would become a dot, a separator, a control or a percent sign if someone behind us decoded twice. Asked of the decoded path: `%25%32%65` hides a dot too. */
const encodedTwice = /%(?:2[EeFf5]|3[Bb]|5[Cc]|7[Ff]|[01][0-9A-Fa-f])/

/**
 * Reads a request target in origin form.
 *
 * Whoever is behind the gateway may decode, split and normalise the path as they like and still see the path that was judged: every spelling with which
 * two parsers could disagree is refused as `edge.malformed`. `%2F` is kept, for access to decide.
 *
 * @see RFC 9112 section 3.2.1
 */
export function parseTarget(target: string): Target | Refused {
  if (!target.startsWith('/')) return malformed('The request target must be in origin form, starting with a slash.')
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (!pathCharacters.test(path)) return malformed('The path has a character or a percent-encoding that RFC 3986 does not allow.')
  if (!queryCharacters.test(query)) return malformed('The query has a character or a percent-encoding that is not allowed.')
  if (path.includes('//')) return malformed('The path has an empty segment.')
  if (path.includes('%')) {
    if (forbiddenInPath.test(path)) return malformed('The path has an encoded control character or backslash.')
    const decoded = decodedText(path)
    if (decoded === undefined) return malformed('The path does not decode to UTF-8.')
    if (encodedTwice.test(decoded)) return malformed('The path is percent-encoded twice.')
  }
  if (path.includes('.') || path.includes('%')) {
    if (hasDotSegment(path)) return malformed('The path has a dot segment.')
  }
  if (query.includes('%')) {
    if (query.includes('%00')) return malformed('The query has an encoded NUL.')
    // A lossy decoding would judge another value than the one that is forwarded.
    if (decodedText(query) === undefined) return malformed('The query does not decode to UTF-8.')
  }
  return { kind: 'target', path, query }
}

/** Dots and separators count whether encoded or not; `/..;x/` too, since servers that know path parameters cut them off before they walk the path. */
function hasDotSegment(path: string): boolean {
  const walked = path
    .replace(/%2[Ee]/g, '.')
    .replace(/%2[Ff]/g, '/')
    .replace(/%3[Bb]/g, ';')
  return /\/\.{1,2}(?:[/;]|$)/.test(walked)
}

function decodedText(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function malformed(detail: string): Refused {
  return refused('edge.malformed', undefined, { detail })
}
