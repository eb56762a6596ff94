import { Fault } from '@sallyport/contract'
import type { Pool, PoolClient } from 'pg'
import { steps } from './schema.ts'

export type Row = Readonly<Record<string, unknown>>
export type Value = string | number | Uint8Array | null

/** Statements on one connection. Texts are constants of the drivers; values go in by number, never into the text. */
export interface Sql {
  all(text: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** The number of rows changed. */
  run(text: string, values?: readonly Value[]): Promise<number>
}

export interface ClusterSettings {
  /** `postgres://…`; the password may come in `PGPASSWORD` or a passfile instead. */
  readonly url: string
  readonly connectionsMax?: number
}

export const connectionsMaxDefault = 10
/** Until a connection is there, or one of the pool is free. */
export const connectMsMax = 5000
/** Until a statement is done, and until another transaction lets go of a row. */
export const statementMsMax = 5000

/** Any number, the same in every gateway: who migrates holds it. */
const migrationLock = 7_255_921

/** A PostgreSQL database that several gateways share. Nothing is read but what is committed, and what is committed is on disk. */
export class ClusterDatabase {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Connects, and brings the schema up to date. @throws Fault `not-done` */
  static async open({ url, connectionsMax }: ClusterSettings, report: (fault: unknown) => void): Promise<ClusterDatabase> {
    const { default: pg } = await import('pg') // loaded by those who have configured it
    const pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax ?? connectionsMaxDefault,
      connectionTimeoutMillis: connectMsMax,
      statement_timeout: statementMsMax,
      lock_timeout: statementMsMax,
      idle_in_transaction_session_timeout: statementMsMax,
      // The server gives up first; this is for one that does not answer at all.
      query_timeout: statementMsMax + 1000,
      options: '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed',
      application_name: 'sallyport',
    })
    // A connection can break whenever it likes, at work or idle; what was under way on it fails by itself, and the pool makes another.
    pool.on('connect', (client) => client.on('error', report))
    pool.on('error', report)
    const database = new ClusterDatabase(pool)
    try {
      await database.#migrate()
      return database
    } catch (error) {
      await database.close()
      throw faultOf(error, 'not-done')
    }
  }

  /** One statement sees one state. @throws Fault `not-done` */
  async read<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return this.#with(async (client) => work(sqlOf(client)), 'not-done')
  }

  /** All or nothing, durable when it resolves. @throws Fault `not-done`, or `unknown` when the commit was not answered */
  async write<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    let outcome: Fault['outcome'] = 'not-done'
    return this.#with(
      async (client) => {
        await client.query('BEGIN')
        try {
          const result = await work(sqlOf(client))
          outcome = 'unknown'
          await client.query('COMMIT')
          return result
        } catch (error) {
          if (outcome === 'not-done') await client.query('ROLLBACK').catch(() => undefined) // the error that led here says more
          throw error
        }
      },
      () => outcome,
    )
  }

  /** Of the server, in milliseconds: the one clock that counts. */
  static async now(sql: Sql): Promise<number> {
    const [row] = await sql.all('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now')
    return Number(row?.['now'])
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #with<Result>(work: (client: PoolClient) => Promise<Result>, outcome: Fault['outcome'] | (() => Fault['outcome'])): Promise<Result> {
    let client: PoolClient | undefined
    let failed: unknown
    try {
      client = await this.#pool.connect()
      return await work(client)
    } catch (error) {
      failed = error
      throw faultOf(error, client === undefined ? 'not-done' : typeof outcome === 'string' ? outcome : outcome())
    } finally {
      // A connection on which something failed is not used again: nobody knows what it still waits for.
      client?.release(failed !== undefined && !(failed instanceof Fault))
    }
  }

  async #migrate(): Promise<void> {
    await this.write(async (sql) => {
      await sql.run('SELECT pg_advisory_xact_lock($1)', [migrationLock]) // two gateways that start at once take each step once
      await sql.run('CREATE TABLE IF NOT EXISTS sallyport_schema (steps bigint NOT NULL)')
      const [row] = await sql.all('SELECT steps FROM sallyport_schema')
      const taken = Number(row?.['steps'] ?? 0)
      if (taken > steps.length) throw new Fault('the PostgreSQL database was made by a newer version of Sallyport: run that version', 'not-done')
      for (const { sql: step } of steps.slice(taken)) await sql.run(step)
      if (row === undefined) await sql.run('INSERT INTO sallyport_schema (steps) VALUES ($1)', [steps.length])
      else await sql.run('UPDATE sallyport_schema SET steps = $1', [steps.length])
    })
  }
}

function sqlOf(client: PoolClient): Sql {
  return {
    all: async (text, values) => (await client.query<Row>(text, values && [...values])).rows,
    run: async (text, values) => (await client.query(text, values && [...values])).rowCount ?? 0,
  }
}

/** A bug throws as it is; what the server or the network does is a fault. */
function faultOf(error: unknown, outcome: Fault['outcome']): unknown {
  if (error instanceof Fault || !(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return error
  return new Fault(`PostgreSQL: ${error.message}`, outcome, error)
}
