import type { ServerEntry } from './server-entry.ts'

/** What a configuration file says, as far as it concerns MCP servers. */
export interface ConfigurationRead {
  readonly kind: 'read'
  readonly servers: ReadonlyMap<string, unknown>
  /** Everything else, by which an edit is proved to have changed nothing else. */
  readonly rest: unknown
  /** Of a format whose edits could lose one: every comment, in order. */
  readonly comments: readonly string[]
  /** How many levels on the way to the servers are there; fewer than `levels` where some must be made. */
  readonly levelsPresent: number
}

export interface Malformed {
  readonly kind: 'malformed'
  readonly reason: string
}

/**
 * Edits the MCP servers of one kind of file as text: comments, order and layout of everything else stay as they are.
 *
 * The results of `put` and `take` are only proposals: whoever uses them reads them again and compares.
 */
export interface ConfigurationFormat {
  /** How many levels lead to the servers. */
  readonly levels: number
  read(text: string): ConfigurationRead | Malformed
  /** Whether `put` takes the place of a server with the same name; else that one must be taken out before. */
  readonly replaces: boolean
  /** Adds the server. */
  put(text: string, name: string, entry: ServerEntry): string
  /** Removes the server; undefined where its text cannot be told from the rest. */
  take(text: string, name: string, entry: ServerEntry): string | undefined
  /** Removes the innermost `count` of the levels that lead to the servers, as far as they are empty. */
  takeLevels(text: string, count: number): string
  /** The text of a file that holds these servers and nothing else. */
  snippet(entries: ReadonlyMap<string, ServerEntry>): string
  /** Whether nothing is left that anyone could miss. */
  isBlank(text: string): boolean
}

/** Follows the members in `path` to the servers; `rest` is everything but them, and but what holds nothing else. */
export function separateServers(whole: Table, path: readonly string[]): ConfigurationRead | Malformed {
  const [member, ...deeper] = path
  if (member === undefined) return { kind: 'read', servers: new Map(Object.entries(whole)), rest: {}, comments: [], levelsPresent: 0 }
  const found = Object.hasOwn(whole, member) ? whole[member] : undefined
  if (found === undefined) return { kind: 'read', servers: new Map(), rest: whole, comments: [], levelsPresent: 0 }
  if (!isTable(found)) return { kind: 'malformed', reason: `"${member}" holds no members` }
  const inner = separateServers(found, deeper)
  if (inner.kind === 'malformed') return inner
  const others = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== member))
  const rest = isTable(inner.rest) && Object.keys(inner.rest).length === 0 ? others : { ...others, [member]: inner.rest }
  return { ...inner, rest, levelsPresent: inner.levelsPresent + 1 }
}

/** Line ends as the file has them. */
export function lineEndOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

type Table = Readonly<Record<string, unknown>>

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
