/** Of addresses to which answers of logins go. */
const charactersMax = 2048

/**
 * Whether an answer may go to `asked`: an address that the program has registered, compared character by character. At a loopback address the port is the
 * program's to choose when it asks.
 *
 * Only https, and http at this host's loopback: whatever else a browser opens (`javascript:`, schemes that any program can claim) leads to who knows whom.
 *
 * @see RFC 9700 section 2.1, RFC 8252 sections 7.3 and 8.4
 */
export function isRegistered(asked: string, registered: readonly string[]): boolean {
  const form = portless(asked)
  return form !== undefined && registered.some((each) => portless(each) === form)
}

/** Undefined for what answers never go to. */
function portless(text: string): string | undefined {
  const url = text.length <= charactersMax ? URL.parse(text) : null
  // What a parser would tidy up two readers could take for two addresses.
  if (!url || url.hash !== '' || text.includes('#') || url.username !== '' || url.password !== '' || !isCanonical(text, url)) return undefined
  if (url.protocol === 'https:') return url.href
  if (url.protocol !== 'http:' || !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return undefined
  url.port = ''
  return url.href
}

function isCanonical(text: string, url: URL): boolean {
  return url.href === text || (url.pathname === '/' && url.href === text.replace(url.origin, `${url.origin}/`))
}
