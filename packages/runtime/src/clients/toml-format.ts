import { parse, stringify, TomlError } from 'smol-toml'
import { isTable, lineEndOf, separateServers, type ConfigurationFormat, type ConfigurationRead, type Malformed } from './configuration-format.ts'
import type { ServerEntry } from './server-entry.ts'

/**
 * TOML. A server is a table of its own at the end of the file, where it can stand whatever comes before, and is found again by its text: no parser and writer lies
 * between, which would lose comments.
 *
 * @see https://toml.io/en/v1.1.0
 */
export function tomlFormat(table: string): ConfigurationFormat {
  const read = (text: string): ConfigurationRead | Malformed => {
    let whole: unknown
    try {
      whole = plain(parse(text))
    } catch (error) {
      if (!(error instanceof TomlError)) throw error
      return { kind: 'malformed', reason: `${(error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '')} in line ${error.line}` }
    }
    return isTable(whole) ? separateServers(whole, [table]) : { kind: 'malformed', reason: 'it is no table' }
  }
  const block = (name: string, entry: ServerEntry, lineEnd: string): string =>
    stringify({ [table]: { [name]: entry } })
      .trimEnd()
      .replaceAll('\n', lineEnd) + lineEnd
  const take = (text: string, name: string, entry: ServerEntry): string | undefined => {
    const lineEnd = lineEndOf(text)
    const own = block(name, entry, lineEnd)
    const starts = occurrences(text, own).filter((start) => start === 0 || text[start - 1] === '\n')
    const [start, second] = starts
    if (start === undefined || second !== undefined) return undefined
    const before = text.slice(0, start)
    const gapless = before.endsWith(`${lineEnd}${lineEnd}`) ? before.slice(0, -lineEnd.length) : before
    return gapless + text.slice(start + own.length)
  }

  return {
    levels: 1,
    replaces: false,
    read,
    put: (text, name, entry) => {
      const lineEnd = lineEndOf(text)
      const gap = text === '' ? '' : text.endsWith('\n') ? lineEnd : `${lineEnd}${lineEnd}`
      return `${text}${gap}${block(name, entry, lineEnd)}`
    },
    take,
    takeLevels: (text) => text,
    snippet: (entries) => [...entries].map(([name, entry]) => block(name, entry, '\n')).join('\n'),
    isBlank: (text) => text.trim() === '',
  }
}

/** Tables as ordinary objects, so that they compare by what they hold. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return isTable(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)])) : value
}

function occurrences(text: string, part: string): readonly number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) found.push(at)
  return found
}
