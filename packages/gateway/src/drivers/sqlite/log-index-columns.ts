import { crc32 } from 'node:zlib'
import { searchedReferences, type EventFilter, type searchedNames } from '../../audit/entry-facts.ts'
import type { Sql } from './database.ts'

/** Raised with every change of the schema: an index is made anew, never brought up to date. */
export const schemaVersion = 2

/**
 * The index holds a few columns of 32-bit numbers, in chunks, one number for each entry: for ten million entries, 40 MB a column, of which a search reads those
 * that it needs. Names that belong together share a column, and each number stands for one group of them: which groups fit is decided once, and then no
 * combination of names is slower than another. The other columns are checksums of texts that nearly every entry has its own of; 0 is none.
 */
export const groups = {
  who: ['tenant', 'agent'],
  what: ['type', 'upstream', 'action', 'act'],
  how: ['decision', 'code', 'result', 'rules'],
} as const satisfies Record<string, readonly ((typeof searchedNames)[number] | 'rules')[]>
export type Group = keyof typeof groups
export const groupNames = ['who', 'what', 'how'] as const satisfies readonly Group[]
export const columns = [...groupNames, ...searchedReferences] as const
export type Column = (typeof columns)[number]

export const schema = `
  CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, edition INTEGER NOT NULL, first BLOB, last BLOB) STRICT;
  INSERT INTO state VALUES (1, 0, 0, NULL, NULL);
  CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  ${groupNames
    .map((group) => {
      const names = groups[group]
      return `CREATE TABLE ${group} (id INTEGER PRIMARY KEY, ${names.map((name) => `${name} INTEGER NOT NULL`).join(', ')}, UNIQUE (${names.join(', ')})) STRICT;`
    })
    .join('\n  ')}
  CREATE TABLE rule_set (rule INTEGER NOT NULL, rules INTEGER NOT NULL, PRIMARY KEY (rule, rules)) STRICT, WITHOUT ROWID;
  CREATE TABLE cells (place INTEGER PRIMARY KEY, numbers BLOB NOT NULL) STRICT;
  PRAGMA user_version = ${schemaVersion};
`

export const statements = Object.fromEntries(
  groupNames.map((group) => {
    const names: readonly string[] = groups[group]
    const isAsked = names.filter((name) => name !== 'rules').map((name) => `(:${name} = 0 OR ${name} = :${name})`)
    const isRuled = group === 'how' ? [`(:rule = 0 OR rules IN (SELECT rules FROM rule_set WHERE rule = :rule))`] : []
    return [
      group,
      {
        add: `INSERT OR IGNORE INTO ${group} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`,
        find: `SELECT id FROM ${group} WHERE ${names.map((name) => `${name} = :${name}`).join(' AND ')}`,
        match: `SELECT id FROM ${group} WHERE ${[...isAsked, ...isRuled].join(' AND ')}`,
      },
    ]
  }),
) as Record<Group, { readonly add: string; readonly find: string; readonly match: string }> // of exactly these names

/** What a column must hold: one number, or one of those that are marked. */
export type Sieve = { readonly column: Column } & (
  { readonly isFit: 'equal'; readonly number: number } | { readonly isFit: 'marked'; readonly marks: Uint8Array } | { readonly isFit: 'none' }
)

export function sumSieve(column: (typeof searchedReferences)[number], filter: EventFilter): readonly Sieve[] {
  const text = filter[column]
  return text === undefined ? [] : [{ column, isFit: 'equal', number: sumOf(text) }]
}

/** Which numbers of a group fit; nothing where nothing of the group is asked. */
export function nameSieve(sql: Sql, group: Group, filter: EventFilter): readonly Sieve[] {
  const asked = groups[group].map((name) => (name === 'rules' ? 'rule' : name))
  if (asked.every((name) => filter[name] === undefined)) return []
  const values: Record<string, number> = {}
  for (const name of asked) {
    const text = filter[name]
    values[name] = text === undefined ? 0 : nameId(sql, text)
    if (text !== undefined && values[name] === 0) return [{ column: group, isFit: 'none' }]
  }
  const fitting = sql.all(statements[group].match, values).map(({ id }) => Number(id))
  if (fitting.length === 0) return [{ column: group, isFit: 'none' }]
  const marks = new Uint8Array(fitting.reduce((most, number) => Math.max(most, number + 1), 0))
  for (const number of fitting) marks[number] = 1
  return [{ column: group, isFit: 'marked', marks }]
}

export function stretchDown(last: number, first: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => last - at)
}

/** A plain loop for each kind: a search of a long log is little else. */
export function sifted(places: readonly number[], numbers: Uint32Array, sieve: Sieve): number[] {
  const kept: number[] = []
  if (sieve.isFit === 'equal') {
    for (const place of places) if (numbers[place] === sieve.number) kept.push(place)
  } else if (sieve.isFit === 'marked') {
    const { marks } = sieve
    for (const place of places) if (marks[numbers[place] ?? 0] === 1) kept.push(place)
  }
  return kept
}

export function isGroup(column: Column): column is Group {
  return groupNames.some((group) => group === column)
}

export function nameId(sql: Sql, text: string): number {
  return Number(sql.get('SELECT id FROM name WHERE text = :text', { text })?.['id'] ?? 0)
}

/** Not 0, which is none. */
export function sumOf(text: string | undefined): number {
  return text === undefined ? 0 : Math.max(1, crc32(text))
}
