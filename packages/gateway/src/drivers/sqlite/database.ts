import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { Fault } from '@sallyport/contract'
import { migrations } from './migrations.ts'

export type Row = Readonly<Record<string, SQLOutputValue>>
type Values = Readonly<Record<string, SQLInputValue>>

/** Statements inside one transaction. Texts are constants of the drivers; values go in by name, never into the text. */
export interface Sql {
  all(text: string, values?: Values): readonly Row[]
  get(text: string, values?: Values): Row | undefined
  /** The number of rows changed. */
  run(text: string, values?: Values): number
}

/** How long a lock of another process is waited for. The wait holds the event loop, so it is short. */
export const busyMsMax = 500

/**
 * The embedded database: write-ahead log, `synchronous = FULL`, so that what a promise resolved with survives the loss of power.
 *
 * Work inside `read` and `write` is synchronous, one transaction each.
 */
export class Database {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #sql: Sql
  #writes = 0

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#sql = {
      all: (text, values = {}) => this.#prepare(text).all(values),
      get: (text, values = {}) => this.#prepare(text).get(values),
      run: (text, values = {}) => Number(this.#prepare(text).run(values).changes),
    }
  }

  /** One consistent view. @throws Fault `not-done` */
  async read<Result>(work: (sql: Sql) => Result): Promise<Result> {
    return this.#transact('BEGIN', work)
  }

  /** All or nothing, durable when it resolves. @throws Fault `not-done`, or `unknown` when the disk failed at the commit. */
  async write<Result>(work: (sql: Sql) => Result): Promise<Result> {
    this.#writes += 1
    return this.#transact('BEGIN IMMEDIATE', work)
  }

  /**
   * Changes with every commit, of this connection or of another one, and costs much less than a `read`.
   *
   * @throws Fault `not-done`
   * @see https://www.sqlite.org/pragma.html#pragma_data_version
   */
  edition(): string {
    try {
      return `${String(this.#sql.get('PRAGMA data_version')?.['data_version'])}/${this.#writes}`
    } catch (error) {
      throw faultOf(error, 'not-done')
    }
  }

  /**
   * What was deleted is in no file of the database any more: it is overwritten there, and the write-ahead log, which holds older pages, is emptied.
   *
   * @throws Fault `unknown` while another connection is at work on it
   * @see https://www.sqlite.org/pragma.html#pragma_secure_delete, https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
   */
  async expunge(): Promise<void> {
    try {
      if (this.#sql.get('PRAGMA wal_checkpoint(TRUNCATE)')?.['busy'] === 0) return
    } catch (error) {
      throw faultOf(error, 'unknown')
    }
    throw new Fault('the database is in use, so what was deleted is not overwritten yet', 'unknown')
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #transact<Result>(begin: string, work: (sql: Sql) => Result): Result {
    let outcome: Fault['outcome'] = 'not-done'
    try {
      this.#database.exec(begin)
      const result = work(this.#sql)
      outcome = 'unknown'
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#rollBack()
      throw faultOf(error, outcome)
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // SQLite rolls back on its own when the disk fails; the error that led here says more than this one.
    }
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known) return known
    const statement = this.#database.prepare(text)
    this.#statements.set(text, statement)
    return statement
  }
}

/**
 * Opens the database, makes it (readable by its owner alone) if there is none, and brings its schema up to date.
 *
 * @throws Fault `not-done` when it is locked, damaged, no database, or made by a newer version of the program.
 */
export function openDatabase(path: string): Database {
  let opened: DatabaseSync | undefined
  try {
    closeSync(openSync(path, 'a', 0o600))
    opened = new DatabaseSync(path, { timeout: busyMsMax, enableForeignKeyConstraints: true })
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF')
    copyBeforeMigration(opened, path)
    migrate(opened, path)
    return new Database(opened)
  } catch (error) {
    opened?.close()
    throw faultOf(error, 'not-done', path)
  }
}

/**
 * Opens the database only to look at it, and checks that it is whole; undefined when there is none yet.
 *
 * @throws Fault `not-done` when it is damaged, or its schema is not that of this version.
 */
export function openDatabaseToRead(path: string): Database | undefined {
  if (!existsSync(path)) return undefined
  let opened: DatabaseSync | undefined
  try {
    opened = new DatabaseSync(path, { timeout: busyMsMax, readOnly: true })
    const damage = objectionToDamage(opened)
    if (damage !== undefined) throw new Fault(`${damage} (${path})`, 'not-done')
    if (stepsTaken(opened) !== migrations.length)
      throw new Fault(`the database (${path}) has the schema of another version: it is brought up to date when the gateway starts`, 'not-done')
    return new Database(opened)
  } catch (error) {
    opened?.close()
    throw faultOf(error, 'not-done', path)
  }
}

/** Undefined when the database is whole. */
export function objectionToDamage(opened: DatabaseSync): string | undefined {
  const found = Object.values(opened.prepare('PRAGMA quick_check(1)').get() ?? {})[0]
  return found === 'ok' ? undefined : messages[11]
}

/** What a database of an older schema is kept as before it is changed: the only way back to the older version. */
function schemaCopy(path: string, taken: number): string {
  return `${path}.schema-${taken}`
}

function stepsTaken(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

/** The copy has its name only when it is whole. Of two processes that start at once, each may make it, and the first one's is kept. */
function copyBeforeMigration(database: DatabaseSync, path: string): void {
  const taken = stepsTaken(database)
  const copy = schemaCopy(path, taken)
  if (taken === 0 || taken >= migrations.length || existsSync(copy)) return
  const unfinished = `${copy}.${process.pid}.unfinished`
  try {
    rmSync(unfinished, { force: true })
    closeSync(openSync(unfinished, 'wx', 0o600))
    database.prepare('VACUUM INTO ?').run(unfinished) // one state of it, the write-ahead log included
    const file = openSync(unfinished, 'r+')
    fsyncSync(file)
    closeSync(file)
    linkSync(unfinished, copy)
  } catch (error) {
    if (!existsSync(copy)) throw new Fault(`the database (${path}) cannot be copied to ${copy}, so it is not brought up to date`, 'not-done', error)
  } finally {
    rmSync(unfinished, { force: true, recursive: true })
  }
}

function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE') // two processes that start at once take each step once
  const taken = stepsTaken(database)
  if (taken > migrations.length) {
    const copy = schemaCopy(path, migrations.length)
    const way = existsSync(copy) ? `put ${basename(copy)} in its place, which forgets what was done since` : 'restore a backup that this version made'
    throw new Fault(`the database (${path}) was made by a newer version of Sallyport: run that version, or ${way}; see docs/operate/backup.md`, 'not-done')
  }
  for (const { sql } of migrations.slice(taken)) database.exec(sql)
  database.exec(`PRAGMA user_version = ${migrations.length}`)
  database.exec('COMMIT')
}

/** What to tell the operator, by SQLite's primary result code. @see https://www.sqlite.org/rescode.html */
const messages: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process',
  6: 'the database is locked by another process',
  8: 'the database cannot be written: check its owner and mode',
  10: 'the disk of the database failed',
  11: 'the database is damaged: restore a backup',
  13: 'the disk of the database is full',
  14: 'the database cannot be opened: check that its folder exists and belongs to this user',
  26: 'the file is not a database',
}

function faultOf(error: unknown, outcome: Fault['outcome'], path?: string): unknown {
  if (error instanceof Fault) return error
  const where = path === undefined ? '' : ` (${path})`
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
    const message = messages[error.errcode & 0xff]
    if (message !== undefined) return new Fault(message + where, isLock(error.errcode) ? 'not-done' : outcome, error)
  }
  if (error instanceof Error && 'syscall' in error) return new Fault(`the database cannot be opened${where}: ${error.message}`, 'not-done', error)
  return error
}

function isLock(errcode: number): boolean {
  return (errcode & 0xff) === 5 || (errcode & 0xff) === 6
}
