import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Database, type Sql } from '../../packages/gateway/src/drivers/sqlite/database.ts'
import { migrations } from '../../packages/gateway/src/drivers/sqlite/migrations.ts'
import type { Machine, Scheduler } from './scheduler.ts'

const tables = ['sessions', 'session_handles', 'session_orphans'] as const

type Dump = Readonly<Record<(typeof tables)[number], readonly Readonly<Record<string, SQLInputValue>>[]>>

/** The real driver's database, in memory, which every run begins with in the same state: what an outsider reads in it is what is durable. */
export class KeptDatabase {
  readonly #raw = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true })
  readonly #kept = new Database(this.#raw)
  readonly #statements = new Map<string, StatementSync>()

  constructor() {
    for (const { sql } of migrations) this.#raw.exec(sql)
  }

  seenFrom(scheduler: Scheduler, machine: Machine, wrote: () => void): Database {
    return new ScheduledDatabase(this.#raw, this.#kept, scheduler, machine, wrote)
  }

  rows(table: (typeof tables)[number]): readonly Readonly<Record<string, SQLInputValue>>[] {
    return this.#prepare(`SELECT * FROM ${table}`).all()
  }

  dump(): Dump {
    return { sessions: this.rows('sessions'), session_handles: this.rows('session_handles'), session_orphans: this.rows('session_orphans') }
  }

  restore(dump: Dump): void {
    this.#raw.exec('DELETE FROM session_handles; DELETE FROM sessions; DELETE FROM session_orphans')
    for (const table of tables) {
      for (const row of dump[table]) {
        const columns = Object.keys(row)
        this.#prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`).run(...Object.values(row))
      }
    }
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text) ?? this.#raw.prepare(text)
    this.#statements.set(text, known)
    return known
  }
}

/** Each transaction is a call that waits for its turn. */
class ScheduledDatabase extends Database {
  readonly #kept: Database
  readonly #scheduler: Scheduler
  readonly #machine: Machine
  readonly #wrote: () => void

  constructor(raw: DatabaseSync, kept: Database, scheduler: Scheduler, machine: Machine, wrote: () => void) {
    super(raw)
    this.#kept = kept
    this.#scheduler = scheduler
    this.#machine = machine
    this.#wrote = wrote
  }

  override read<Result>(work: (sql: Sql) => Result): Promise<Result> {
    return this.#scheduler.call('store reads', this.#machine, () => this.#kept.read(work), { touches: 'store', canFail: true })
  }

  override write<Result>(work: (sql: Sql) => Result): Promise<Result> {
    const write = async (): Promise<Result> => {
      const result = await this.#kept.write(work)
      this.#wrote()
      return result
    }
    return this.#scheduler.call('store writes', this.#machine, write, { touches: 'store, changing it', canFail: true })
  }
}
