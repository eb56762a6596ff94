import { Fault, parseAgentName, parseTenantName, parseThumbprint } from '@sallyport/contract'
import { z } from 'zod'
import { changesKeptMs, changesReadMax, type ChangeFeed, type ClusterChange, type PlacedChange } from '../../control/cluster/cluster-change.ts'
import { text, wholeNumber } from '../row.ts'
import { ClusterDatabase, type Sql } from './cluster-database.ts'

/** Any number, the same in every gateway: who makes a change holds it until the change is kept. */
const changesLock = 7_255_922

const named = <Parsed>(parse: (text: string) => Parsed | undefined) =>
  z.string().transform((given, context) => {
    const parsed = parse(given)
    if (parsed !== undefined) return parsed
    context.addIssue('not a name')
    return z.NEVER
  })
const tenant = named(parseTenantName)
const agentKey = z.strictObject({ tenant, agent: named(parseAgentName) })
const block = z.discriminatedUnion('scope', [
  z.strictObject({ scope: z.literal('all') }),
  z.strictObject({ scope: z.literal('tenant'), tenant }),
  agentKey.extend({ scope: z.literal('agent') }),
])
const kept: z.ZodType<ClusterChange> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('standing'), agent: agentKey, standing: z.enum(['active', 'revoked']) }),
  z.strictObject({ kind: z.literal('revoked'), certificates: z.array(z.strictObject({ thumbprint: named(parseThumbprint), notAfterMs: z.int() })) }),
  z.strictObject({ kind: z.enum(['blocked', 'lifted']), block }),
  z.strictObject({ kind: z.literal('session-ended'), session: z.string() }),
  z.strictObject({ kind: z.literal('ticket-keys') }),
])

/** Until the end of the transaction no other gateway makes a change, so that places become visible in their order. */
export async function lockChanges(sql: Sql): Promise<void> {
  await sql.run('SELECT pg_advisory_xact_lock($1)', [changesLock])
}

/** Keeps what a transaction has changed, with it. Locks what other gateways change, so the last thing that waits. */
export async function keepChange(sql: Sql, change: ClusterChange): Promise<void> {
  await lockChanges(sql)
  const at = await ClusterDatabase.now(sql)
  await sql.run('DELETE FROM changes WHERE at < $1', [at - changesKeptMs])
  await sql.run('INSERT INTO changes (at, change) VALUES ($1, $2)', [at, JSON.stringify(change)])
}

/** `ChangeFeed` on a PostgreSQL that several gateways share. */
export class PostgresChanges implements ChangeFeed {
  readonly #database: ClusterDatabase

  constructor(database: ClusterDatabase) {
    this.#database = database
  }

  newest(): Promise<number> {
    return this.#database.read(async (sql) => {
      const [row] = await sql.all('SELECT coalesce(max(place), 0) AS newest FROM changes')
      return row ? wholeNumber(row, 'newest') : 0
    })
  }

  behind(place: number): Promise<readonly PlacedChange[]> {
    return this.#database.read(async (sql) => {
      const rows = await sql.all(`SELECT place, at, change FROM changes WHERE place > $1 ORDER BY place LIMIT ${changesReadMax}`, [place])
      return rows.map((row) => ({ place: wholeNumber(row, 'place'), atMs: wholeNumber(row, 'at'), change: changeIn(text(row, 'change')) }))
    })
  }
}

function changeIn(written: string): ClusterChange {
  try {
    return kept.parse(JSON.parse(written))
  } catch (error) {
    throw new Fault('the PostgreSQL database holds a change that this version of Sallyport does not know', 'not-done', error)
  }
}
