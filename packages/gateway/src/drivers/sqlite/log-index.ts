import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { searchedReferences, type EntryFacts, type EventFilter } from '../../audit/entry-facts.ts'
import type { IndexBatch, IndexState, LogIndex } from '../../audit/log-index.ts'
import { busyMsMax, Database, type Row, type Sql } from './database.ts'
import {
  columns,
  groupNames,
  groups,
  isGroup,
  nameId,
  nameSieve,
  schema,
  schemaVersion,
  sifted,
  statements,
  stretchDown,
  sumOf,
  sumSieve,
  type Column,
  type Group,
} from './log-index-columns.ts'

/** Entries of one chunk of a column. */
export const chunkEntries = 4096
/** Texts and groups of names whose numbers are kept in memory while entries are added. */
const numbersKeptMax = 200_000
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
