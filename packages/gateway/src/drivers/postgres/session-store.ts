import type { Thumbprint } from '@sallyport/contract'
import { gate, type Flight, type Presented, type Verdict } from '../../control/sessions/gate.ts'
import {
  endedKeptMs,
  handlesKeptMax,
  orphanRetryMs,
  sessionsPerAgentMax,
  type SessionRecord,
  type SessionState,
  type SessionTerms,
  type Step,
} from '../../control/sessions/session-record.ts'
import {
  newRecord,
  summaryOf,
  type Ended,
  type NewSession,
  type Orphan,
  type SessionFilter,
  type SessionStore,
  type SessionSummary,
} from '../../control/sessions/session-store.ts'
import type { Proof, SessionId } from '../../control/sessions/session.ts'
import {
  claim,
  claimable,
  commitFlight,
  endByOwner,
  endSession,
  replacedBy,
  settleFlight,
  type Claimable,
  type FlightEnd,
  type Landed,
  type MadeHandle,
} from '../../control/sessions/steps.ts'
import { bytes, text, wholeNumber } from '../row.ts'
import { rowOfSession, sessionColumns, sessionOfRow } from '../session-row.ts'
import { keepChange } from './changes.ts'
import { ClusterDatabase, type Sql } from './cluster-database.ts'

const keepSession = `INSERT INTO sessions (${sessionColumns.join(', ')}) VALUES (${sessionColumns.map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${sessionColumns.map((column) => `${column} = excluded.${column}`).join(', ')}`

/** Whether a look is to be followed by a change: then the row is locked. */
type Look<Found> = (sql: Sql, isLocking: boolean) => Promise<Found>

/** `SessionStore` on a PostgreSQL that several gateways share. Its clock is that of the server. */
export class PostgresSessionStore implements SessionStore {
  readonly #database: ClusterDatabase
  readonly #terms: SessionTerms

  constructor(database: ClusterDatabase, terms: SessionTerms) {
    this.#database = database
    this.#terms = terms
  }

  open(session: NewSession): Promise<'too-many' | { readonly replaced: readonly SessionSummary[] }> {
    return this.#database.write(async (sql) => {
      const { tenant, agent } = session.owner
      await sql.run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${tenant}/${agent}`]) // two openings for one agent, one after the other
      const at = await ClusterDatabase.now(sql)
      const live = await liveSessionsOf(sql, session.owner, true)
      const replaced = replacedBy(session, live)
      if (live.length - replaced.length >= sessionsPerAgentMax) return 'too-many'
      for (const ready of replaced) await keep(sql, endSession(ready, 'revoked', 'a newer one was opened'), at)
      await keep(sql, { result: undefined, session: newRecord(session, at, this.#terms) }, at)
      return { replaced: replaced.map(summaryOf) }
    })
  }

  claimable(proof: Proof, session?: SessionId): Promise<Claimable> {
    return this.#database.read(async (sql) => claimable(await liveSessionsOf(sql, proof, false), proof, await ClusterDatabase.now(sql), this.#terms, session))
  }

  claim(session: SessionId, proof: Proof, handle: MadeHandle): Promise<'gone' | 'claimed'> {
    return this.#step(byId(session), (found, at) => (found ? claim(found, proof, handle, at, this.#terms) : { result: 'gone' }))
  }

  gate(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Verdict> {
    return this.#step(byHandle(handleDigest), (found, at): Step<Verdict> =>
      found ? gate(found, proof, descendsFrom, at, this.#terms) : { result: { kind: 'unknown' } },
    )
  }

  commitFlight(flight: Flight, landed: Landed): Promise<'fenced' | 'landed'> {
    return this.#step(
      // In this order: what locks the session first sees every handle that landed before.
      async (sql, isLocking) => ({
        session: await find(sql, flight.session, isLocking),
        isKnown: (await sql.all('SELECT 1 FROM session_handles WHERE digest = $1', [landed.handle.digest])).length > 0,
      }),
      ({ session, isKnown }, at) => (session ? commitFlight(session, flight, landed, isKnown, at) : { result: 'fenced' }),
    )
  }

  settleFlight(flight: Flight, end: FlightEnd): Promise<'fenced' | SessionState> {
    return this.#step(byId(flight.session), (session, at): Step<'fenced' | SessionState> =>
      session ? settleFlight(session, flight, end, at, this.#terms) : { result: 'fenced' },
    )
  }

  end(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Ended> {
    return this.#step(byHandle(handleDigest), (found): Step<Ended> => (found ? endByOwner(found, proof, descendsFrom) : { result: { kind: 'unknown' } }))
  }

  revoke(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'> {
    return this.#end(session, 'revoked', reason)
  }

  quarantine(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'> {
    return this.#end(session, 'reauth', reason)
  }

  async revokeIssuedBefore(time: number, reason: string): Promise<readonly SessionSummary[]> {
    return this.#endAll(`opened_at < $1`, [time], reason)
  }

  async expire(countMax: number): Promise<readonly SessionSummary[]> {
    const now = await this.#database.read(ClusterDatabase.now)
    await this.#database.write((sql) => sql.run(`DELETE FROM sessions WHERE state = 'revoked' AND expires_at < $1`, [now - endedKeptMs]))
    const { lifetimeMs, claimMs } = this.#terms
    // A lifetime that was shortened counts for the sessions there are.
    const over = `(expires_at <= $1 OR opened_at <= $2 OR (state = 'ready' AND opened_at <= $3))`
    return this.#endAll(over, [now, now - lifetimeMs, now - claimMs], 'past its end', countMax)
  }

  find(session: SessionId): Promise<SessionSummary | undefined> {
    return this.#database.read(async (sql) => {
      const found = await find(sql, session, false)
      return found && summaryOf(found)
    })
  }

  list({ tenant, agent, isLive }: SessionFilter, countMax: number): Promise<readonly SessionSummary[]> {
    return this.#database.read(async (sql) =>
      (
        await sql.all(
          `SELECT * FROM sessions WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR agent = $2)
            AND ($3::bigint = 0 OR state NOT IN ('revoked', 'reauth')) ORDER BY opened_at DESC, id LIMIT $4`,
          [tenant ?? null, agent ?? null, isLive === true ? 1 : 0, countMax],
        )
      )
        .map(sessionOfRow)
        .map(summaryOf),
    )
  }

  takeOrphans(countMax: number): Promise<readonly Orphan[]> {
    return this.#database.write(async (sql) => {
      const now = await ClusterDatabase.now(sql)
      const taken = await sql.all(
        `UPDATE session_orphans SET offers = offers + 1, next_offer_at = $2 WHERE key IN
          (SELECT key FROM session_orphans WHERE next_offer_at <= $1 ORDER BY key LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING *`,
        [now, now + orphanRetryMs, countMax],
      )
      return taken.map((row) => ({
        key: String(wholeNumber(row, 'key')),
        session: text(row, 'session'),
        generation: wholeNumber(row, 'generation'),
        sealed: bytes(row, 'sealed') ?? new Uint8Array(),
        offers: wholeNumber(row, 'offers'),
      }))
    })
  }

  async forgetOrphan(key: string): Promise<void> {
    await this.#database.write((sql) => sql.run(`DELETE FROM session_orphans WHERE key = $1`, [key]))
  }

  #end(session: SessionId, state: 'revoked' | 'reauth', reason: string): Promise<'unknown' | 'already' | 'done'> {
    const end = (found: SessionRecord | undefined): Step<'unknown' | 'already' | 'done'> => (found ? endSession(found, state, reason) : { result: 'unknown' })
    return this.#step(byId(session), end, true)
  }

  /** One by one, so that no act on many sessions holds up the refresh of each. */
  async #endAll(which: string, values: readonly number[], reason: string, countMax?: number): Promise<readonly SessionSummary[]> {
    const limit = countMax === undefined ? '' : ` LIMIT ${Math.floor(countMax)}`
    const found = await this.#database.read((sql) => sql.all(`SELECT * FROM sessions WHERE state <> 'revoked' AND ${which} ORDER BY opened_at${limit}`, values))
    const ended: SessionSummary[] = []
    for (const session of found.map(sessionOfRow)) if ((await this.#end(session.id, 'revoked', reason)) === 'done') ended.push(summaryOf(session))
    return ended
  }

  /** Looks first: who changes nothing takes no lock. What would change is worked out again, on the locked row, in the transaction that keeps it. */
  async #step<Found, Result>(look: Look<Found>, decide: (found: Found, at: number) => Step<Result>, endsTickets?: boolean): Promise<Result> {
    const looked = await this.#database.read(async (sql) => decide(await look(sql, false), await ClusterDatabase.now(sql)))
    if (!looked.session && !looked.orphan) return looked.result
    return this.#database.write(async (sql) => {
      const found = await look(sql, true)
      const at = await ClusterDatabase.now(sql) // after the lock was waited for
      const step = decide(found, at)
      await keep(sql, step, at, endsTickets)
      return step.result
    })
  }
}

function byId(session: SessionId): Look<SessionRecord | undefined> {
  return (sql, isLocking) => find(sql, session, isLocking)
}

async function find(sql: Sql, session: SessionId, isLocking: boolean): Promise<SessionRecord | undefined> {
  const [row] = await sql.all(`SELECT * FROM sessions WHERE id = $1${isLocking ? ' FOR UPDATE' : ''}`, [session])
  return row && sessionOfRow(row)
}

function byHandle(digest: string): Look<Presented | undefined> {
  return async (sql, isLocking) => {
    const [row] = await sql.all(
      `SELECT s.*, h.generation AS presented FROM session_handles h JOIN sessions s ON s.id = h.session WHERE h.digest = $1${isLocking ? ' FOR UPDATE OF s' : ''}`,
      [digest],
    )
    return row && { session: sessionOfRow(row), generation: wholeNumber(row, 'presented') }
  }
}

/** Those that are not over, newest first. */
async function liveSessionsOf(sql: Sql, { tenant, agent }: { readonly tenant: string; readonly agent: string }, isLocking: boolean): Promise<SessionRecord[]> {
  const rows = await sql.all(
    `SELECT * FROM sessions WHERE tenant = $1 AND agent = $2 AND state NOT IN ('revoked', 'reauth') ORDER BY opened_at DESC, id${isLocking ? ' FOR UPDATE' : ''}`,
    [tenant, agent],
  )
  return rows.map(sessionOfRow)
}

/** @param endsTickets where a person must only log in again, the tickets that are out run to their end */
async function keep(sql: Sql, { session, handle, orphan }: Step<unknown>, at: number, endsTickets = session?.state === 'revoked'): Promise<void> {
  if (session) {
    const row = rowOfSession(session)
    await sql.run(
      keepSession,
      sessionColumns.map((column) => row[column]),
    )
  }
  if (session && handle !== undefined) {
    await sql.run(`INSERT INTO session_handles (digest, session, generation) VALUES ($1, $2, $3)`, [handle, session.id, session.generation])
    await sql.run(`DELETE FROM session_handles WHERE session = $1 AND generation <= $2`, [session.id, session.generation - handlesKeptMax])
  }
  if (orphan) {
    const { session: id, generation, sealed } = orphan
    await sql.run(`INSERT INTO session_orphans (session, generation, sealed, offers, next_offer_at) VALUES ($1, $2, $3, 0, $4)`, [id, generation, sealed, at])
  }
  if (session && endsTickets) await keepChange(sql, { kind: 'session-ended', session: session.id })
}
