import { foldName, type JsonObject } from '@sallyport/contract'
import type { Parameter } from './read-target.ts'

export type ReadQuery = { readonly kind: 'malformed'; readonly reason: string } | { readonly kind: 'read'; readonly members: JsonObject }

/**
 * The query as conditions see it: a text for each name, and a list for each name in `lists`, however often it came.
 *
 * Malformed where a condition could see another value than the server: a name that comes twice, also in another spelling (`force`, `Force`), and the spellings in
 * which servers read a list (`force[]`, `force[0]`), unless the operation declares exactly this name as a list.
 *
 * @see OWASP Web Security Testing Guide, Testing for HTTP Parameter Pollution
 */
export function readQuery(parameters: readonly Parameter[], lists: ReadonlySet<string>): ReadQuery {
  const members = new Map<string, string | string[]>()
  const namesByFold = new Map<string, string>()
  for (const { name, value = '' } of parameters) {
    const list = members.get(name)
    const earlier = namesByFold.get(foldName(name))
    if (earlier !== undefined && (earlier !== name || !Array.isArray(list))) return malformed('the query has a parameter twice')
    namesByFold.set(foldName(name), name)
    if (Array.isArray(list)) list.push(value)
    else if (lists.has(name)) members.set(name, [value])
    else if (/\[[0-9]*\]$/.test(name)) return malformed('the query has a list')
    else members.set(name, value)
  }
  return { kind: 'read', members: Object.fromEntries(members) } // makes own members even of `__proto__`
}

function malformed(what: string): ReadQuery {
  return { kind: 'malformed', reason: `${what} that no operation declares in its lists` }
}
