import { isDeepStrictEqual } from 'node:util'
import type { ConfigurationFormat, ConfigurationRead } from './configuration-format.ts'
import type { ServerEntry } from './server-entry.ts'

export type Entries = ReadonlyMap<string, ServerEntry>

/** What stands in a configuration by our hand. */
export interface Written {
  /** By name, the values that we wrote: more than one only where a write was cut off, and it is not known which one stands there. */
  readonly entries: ReadonlyMap<string, readonly ServerEntry[]>
  /** There was no file before. */
  readonly isFileOurs: boolean
  /** How many of the innermost levels around the servers were not there before. */
  readonly levelsOurs: number
}

export const nothingWritten: Written = { entries: new Map(), isFileOurs: false, levelsOurs: 0 }

export type Change =
  /** `reason` says what to do. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unchanged'; readonly written: Written }
  /** `text` undefined: the file was ours alone and goes. */
  | { readonly kind: 'changed'; readonly text: string | undefined; readonly written: Written }

/**
 * Plans how a configuration comes to hold the wanted servers, and no other that we wrote; with none wanted that undoes what we did. `text` is undefined where there
 * is no file.
 *
 * Refuses to touch what somebody else wrote or has edited since. A change that is returned was read again: every other part of the file means what it meant before.
 */
export function planChange(format: ConfigurationFormat, text: string | undefined, written: Written, wanted: Entries): Change {
  const before = format.read(text ?? '')
  if (before.kind === 'malformed') return { kind: 'refused', reason: `it cannot be read (${before.reason}): repair it first` }
  const names = [...new Set([...written.entries.keys(), ...wanted.keys()])]
  const foreign = names.find((name) => !isOurs(before, written, name) && !isDeepStrictEqual(before.servers.get(name), wanted.get(name)))
  if (foreign !== undefined) return refuseForeign(foreign, written.entries.has(foreign))

  let current = text ?? ''
  const mine = new Map<string, readonly ServerEntry[]>()
  for (const name of names) {
    const [standing, want] = [before.servers.get(name), wanted.get(name)]
    const isSame = isDeepStrictEqual(standing, want)
    if (want !== undefined && isOurs(before, written, name)) mine.set(name, [want])
    if (isSame) continue
    const next = want === undefined ? without(format, current, name, written) : withEntry(format, current, name, want, standing !== undefined, written)
    if (next === undefined) return { kind: 'refused', reason: `"${name}" cannot be told from the rest: somebody has laid it out anew; remove it by hand` }
    current = next
  }
  const isUndone = mine.size === 0
  if (isUndone) current = format.takeLevels(current, written.levelsOurs)

  const after = format.read(current)
  if (after.kind === 'read' && !isDeepStrictEqual(after.comments, before.comments)) {
    return { kind: 'refused', reason: 'a comment of yours in or beside the entry would be lost: move the comment or remove the entry by hand, then try again' }
  }
  if (!isAsMeant(before, after, names, wanted)) {
    return { kind: 'refused', reason: 'the entries cannot be set without changing something else (is the section written on one line?): do it by hand' }
  }
  const next: Written = isUndone
    ? nothingWritten
    : { entries: mine, isFileOurs: written.isFileOurs || text === undefined, levelsOurs: Math.max(written.levelsOurs, format.levels - before.levelsPresent) }
  if (current === (text ?? '')) return { kind: 'unchanged', written: next }
  return { kind: 'changed', text: isUndone && written.isFileOurs && format.isBlank(current) ? undefined : current, written: next }
}

function isOurs({ servers }: ConfigurationRead, { entries }: Written, name: string): boolean {
  const standing = servers.get(name)
  return standing === undefined || (entries.get(name) ?? []).some((entry) => isDeepStrictEqual(entry, standing))
}

function refuseForeign(name: string, wasOurs: boolean): Change {
  const reason = wasOurs
    ? `"${name}" was edited since it was written: remove it by hand, or put back what was there, then try again`
    : `"${name}" is already there and was not written by "sallyport connect": rename or remove it, then try again`
  return { kind: 'refused', reason }
}

function without(format: ConfigurationFormat, text: string, name: string, { entries }: Written): string | undefined {
  for (const entry of entries.get(name) ?? []) {
    const taken = format.take(text, name, entry)
    if (taken !== undefined) return taken
  }
  return undefined
}

function withEntry(format: ConfigurationFormat, text: string, name: string, entry: ServerEntry, isStanding: boolean, written: Written): string | undefined {
  if (!isStanding || format.replaces) return format.put(text, name, entry)
  const taken = without(format, text, name, written)
  return taken === undefined ? undefined : format.put(taken, name, entry)
}

/** The named servers are the wanted ones, and nothing else has another meaning than before. */
function isAsMeant(before: ConfigurationRead, after: ReturnType<ConfigurationFormat['read']>, names: readonly string[], wanted: Entries): boolean {
  if (after.kind === 'malformed') return false
  const expected = new Map(before.servers)
  for (const name of names) {
    const want = wanted.get(name)
    if (want === undefined) expected.delete(name)
    else expected.set(name, want)
  }
  return isDeepStrictEqual(after.servers, expected) && isDeepStrictEqual(after.rest, before.rest)
}
