import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { searchedNames, searchedReferences, type EntryFacts, type EventFilter } from '../../audit/entry-facts.ts'
import type { IndexBatch, IndexState, LogIndex } from '../../audit/log-index.ts'
import { busyMsMax, Database, type Row, type Sql } from './database.ts'

/** Entries of one chunk of a column. */
export const chunkEntries = 4096
/** Texts and groups of names whose numbers are kept in memory while entries are added. */
const numbersKeptMax = 200_000
/** Raised with every change of the schema: an index is made anew, never brought up to date. */
const schemaVersion = 1

/**
 * The index holds a few columns of 32-bit numbers, in chunks, one number for each entry: for ten million entries, 40 MB a column, of which a search reads those
 * that it needs. Names that belong together share a column, and each number stands for one group of them: which groups fit is decided once, and then no
 * combination of names is slower than another. The other columns are checksums of texts that nearly every entry has its own of; 0 is none.
 */
const groups = {
  who: ['tenant', 'agent'],
  what: ['type', 'upstream', 'action'],
  how: ['decision', 'code', 'rules'],
} as const satisfies Record<string, readonly ((typeof searchedNames)[number] | 'rules')[]>
type Group = keyof typeof groups
const groupNames = ['who', 'what', 'how'] as const satisfies readonly Group[]
const columns = [...groupNames, ...searchedReferences] as const
type Column = (typeof columns)[number]

const schema = `
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

/** Opens the index, and makes an empty one where there is none, or one of another version or a damaged one. @throws Fault */
export function openLogIndex(path: string): LogIndex {
  const opened = openSound(path) ?? makeAnew(path)
  return new SqliteLogIndex(new Database(opened))
}

/** Opens the index only to search it; undefined where there is none that can be. */
export function openLogIndexToRead(path: string): LogIndex | undefined {
  const opened = existsSync(path) ? openSound(path, true) : undefined
  return opened && new SqliteLogIndex(new Database(opened))
}

function openSound(path: string, readOnly = false): DatabaseSync | undefined {
  let opened: DatabaseSync | undefined
  try {
    if (!existsSync(path)) return undefined
    opened = new DatabaseSync(path, { timeout: busyMsMax, readOnly })
    if (!readOnly) opened.exec(pragmas)
    if (opened.prepare('PRAGMA user_version').get()?.['user_version'] === schemaVersion) return opened
  } catch {
    // Whatever is wrong with it, it can be made anew out of the log.
  }
  opened?.close()
  return undefined
}

/** Not FULL: what a loss of power takes is added again. */
const pragmas = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF'

function makeAnew(path: string): DatabaseSync {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
  closeSync(openSync(path, 'a', 0o600))
  const made = new DatabaseSync(path, { timeout: busyMsMax })
  made.exec(`PRAGMA page_size = 16384; ${pragmas}; BEGIN IMMEDIATE; ${schema} COMMIT`)
  return made
}

class SqliteLogIndex implements LogIndex {
  readonly #database: Database
  readonly #numbers = new Map<string, number>()
  #edition: unknown

  constructor(database: Database) {
    this.#database = database
  }

  async state(): Promise<IndexState> {
    return this.#database.read((sql) => {
      const { size, first, last } = stateOf(sql)
      return { size: Number(size), ends: first instanceof Uint8Array && last instanceof Uint8Array ? { first, last } : undefined }
    })
  }

  async add(from: number, batch: IndexBatch): Promise<boolean> {
    try {
      return await this.#add(from, batch)
    } catch (fault) {
      this.#numbers.clear() // what was numbered in a transaction that failed has no number
      throw fault
    }
  }

  #add(from: number, { facts, ends }: IndexBatch): Promise<boolean> {
    return this.#database.write((sql) => {
      const { size, edition } = stateOf(sql)
      if (size !== from) return false
      if (edition !== this.#edition || this.#numbers.size > numbersKeptMax) this.#numbers.clear()
      this.#edition = edition
      for (let at = 0; at < facts.length;) {
        const chunk = Math.floor((from + at) / chunkEntries)
        const filled = (from + at) % chunkEntries
        const part = facts.slice(at, at + chunkEntries - filled)
        this.#fill(sql, chunk, filled, part)
        at += part.length
      }
      sql.run('UPDATE state SET size = :size, first = :first, last = :last', { size: from + facts.length, first: ends.first, last: ends.last })
      return true
    })
  }

  async clear(): Promise<void> {
    await this.#database.write((sql) => {
      for (const table of ['name', ...groupNames, 'rule_set', 'cells']) sql.run(`DELETE FROM ${table}`)
      sql.run('UPDATE state SET size = 0, edition = edition + 1, first = NULL, last = NULL')
    })
    this.#numbers.clear()
  }

  async candidates(filter: EventFilter, { from, below }: { readonly from: number; readonly below: number }, limit: number): Promise<readonly number[]> {
    return this.#database.read((sql) => {
      const sieves = [...searchedReferences.flatMap((column) => sumSieve(column, filter)), ...groupNames.flatMap((group) => nameSieve(sql, group, filter))]
      const found: number[] = []
      if (sieves.some(({ isFit }) => isFit === 'none')) return found
      const end = Math.min(below, Number(stateOf(sql)['size']))
      for (let chunk = Math.floor((end - 1) / chunkEntries); (chunk + 1) * chunkEntries > from && found.length < limit; chunk -= 1) {
        const start = chunk * chunkEntries
        let places = stretchDown(Math.min(chunkEntries, end - start) - 1, Math.max(0, from - start))
        for (const sieve of sieves) {
          if (places.length === 0) break
          places = sifted(places, read(sql, sieve.column, chunk), sieve)
        }
        for (const place of places.slice(0, limit - found.length)) found.push(start + place)
      }
      return found
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #fill(sql: Sql, chunk: number, filled: number, facts: readonly EntryFacts[]): void {
    for (const column of columns) {
      const numbers = new Uint32Array(filled + facts.length)
      if (filled > 0) numbers.set(read(sql, column, chunk).subarray(0, filled))
      for (const [at, entry] of facts.entries()) numbers[filled + at] = isGroup(column) ? this.#groupOf(sql, column, entry) : sumOf(entry[column])
      if (numbers.some((number) => number !== 0))
        sql.run('INSERT OR REPLACE INTO cells VALUES (:place, :numbers)', { place: placeOf(column, chunk), numbers: new Uint8Array(numbers.buffer) })
    }
  }

  #groupOf(sql: Sql, group: Group, facts: EntryFacts): number {
    const rules = facts.rules.length === 0 ? '' : JSON.stringify(facts.rules)
    const texts = groups[group].map((name) => [name, name === 'rules' ? rules : facts[name]] as const)
    return this.#kept(`${group} ${JSON.stringify(texts)}`, () => {
      const values = Object.fromEntries(texts.map(([name, text]) => [name, this.#nameOf(sql, text)]))
      if (group === 'how')
        for (const rule of facts.rules)
          sql.run('INSERT OR IGNORE INTO rule_set VALUES (:rule, :rules)', { rule: this.#nameOf(sql, rule), rules: values['rules'] ?? 0 })
      sql.run(statements[group].add, values)
      return Number(sql.get(statements[group].find, values)?.['id'])
    })
  }

  #nameOf(sql: Sql, text: string | undefined): number {
    if (text === undefined || text === '') return 0
    return this.#kept(`name ${text}`, () => {
      sql.run('INSERT OR IGNORE INTO name (text) VALUES (:text)', { text })
      return nameId(sql, text)
    })
  }

  #kept(key: string, find: () => number): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = find()
    this.#numbers.set(key, number)
    return number
  }
}

const statements = Object.fromEntries(
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
type Sieve = { readonly column: Column } & (
  { readonly isFit: 'equal'; readonly number: number } | { readonly isFit: 'marked'; readonly marks: Uint8Array } | { readonly isFit: 'none' }
)

function sumSieve(column: (typeof searchedReferences)[number], filter: EventFilter): readonly Sieve[] {
  const text = filter[column]
  return text === undefined ? [] : [{ column, isFit: 'equal', number: sumOf(text) }]
}

/** Which numbers of a group fit; nothing where nothing of the group is asked. */
function nameSieve(sql: Sql, group: Group, filter: EventFilter): readonly Sieve[] {
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

function stretchDown(last: number, first: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => last - at)
}

/** A plain loop for each kind: a search of a long log is little else. */
function sifted(places: readonly number[], numbers: Uint32Array, sieve: Sieve): number[] {
  const kept: number[] = []
  if (sieve.isFit === 'equal') {
    for (const place of places) if (numbers[place] === sieve.number) kept.push(place)
  } else if (sieve.isFit === 'marked') {
    const { marks } = sieve
    for (const place of places) if (marks[numbers[place] ?? 0] === 1) kept.push(place)
  }
  return kept
}

function isGroup(column: Column): column is Group {
  return groupNames.some((group) => group === column)
}

function nameId(sql: Sql, text: string): number {
  return Number(sql.get('SELECT id FROM name WHERE text = :text', { text })?.['id'] ?? 0)
}

function stateOf(sql: Sql): Row {
  return sql.get('SELECT size, edition, first, last FROM state') ?? {}
}

function read(sql: Sql, column: Column, chunk: number): Uint32Array {
  const bytes = sql.get('SELECT numbers FROM cells WHERE place = :place', { place: placeOf(column, chunk) })?.['numbers']
  if (!(bytes instanceof Uint8Array)) return new Uint32Array(chunkEntries)
  return new Uint32Array(bytes.slice().buffer)
}

function placeOf(column: Column, chunk: number): number {
  return columns.indexOf(column) * 2 ** 32 + chunk
}

/** Not 0, which is none. */
function sumOf(text: string | undefined): number {
  return text === undefined ? 0 : Math.max(1, crc32(text))
}
