import type { Thumbprint } from '@sallyport/contract'
import { gate, type Flight, type Presented, type Verdict } from '../../control/sessions/gate.ts'
import {
  endedKeptMs,
  handlesKeptMax,
  orphanRetryMs,
  sessionsPerAgentMax,
  type SealedToken,
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
import type { Database, Sql } from './database.ts'

const keepSession = `INSERT INTO sessions (${sessionColumns.join(', ')}) VALUES (${sessionColumns.map((column) => `$${column}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${sessionColumns.map((column) => `${column} = excluded.${column}`).join(', ')}`

/** `SessionStore` on the embedded database. Its clock is that of the machine. */
export class SqliteSessionStore implements SessionStore {
  readonly #database: Database
  readonly #terms: SessionTerms
  readonly #now: () => number

  constructor(database: Database, terms: SessionTerms, now: () => number) {
    this.#database = database
    this.#terms = terms
    this.#now = now
  }

  open(session: NewSession): Promise<'too-many' | { readonly replaced: readonly SessionSummary[] }> {
    return this.#database.write((sql) => {
      const live = liveSessionsOf(sql, session.owner)
      const replaced = replacedBy(session, live)
      if (live.length - replaced.length >= sessionsPerAgentMax) return 'too-many'
      for (const ready of replaced) keep(sql, endSession(ready, 'revoked', 'a newer one was opened'), this.#now())
      keep(sql, { result: undefined, session: newRecord(session, this.#now(), this.#terms) }, this.#now())
      return { replaced: replaced.map(summaryOf) }
    })
  }

  claimable(proof: Proof, session?: SessionId): Promise<Claimable> {
    return this.#database.read((sql) => claimable(liveSessionsOf(sql, proof), proof, this.#now(), this.#terms, session))
  }

  claim(session: SessionId, proof: Proof, handle: MadeHandle): Promise<'gone' | 'claimed'> {
    return this.#step(
      (sql) => find(sql, session),
      (found, at) => (found ? claim(found, proof, handle, at, this.#terms) : { result: 'gone' }),
    )
  }

  gate(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Verdict> {
    return this.#step(
      (sql) => present(sql, handleDigest),
      (found, at): Step<Verdict> => (found ? gate(found, proof, descendsFrom, at, this.#terms) : { result: { kind: 'unknown' } }),
    )
  }

  commitFlight(flight: Flight, landed: Landed): Promise<'fenced' | 'landed'> {
    return this.#step(
      (sql) => ({ session: find(sql, flight.session), isKnown: present(sql, landed.handle.digest) !== undefined }),
      ({ session, isKnown }, at) => (session ? commitFlight(session, flight, landed, isKnown, at) : { result: 'fenced' }),
    )
  }

  settleFlight(flight: Flight, end: FlightEnd): Promise<'fenced' | SessionState> {
    return this.#step(
      (sql) => find(sql, flight.session),
      (session, at): Step<'fenced' | SessionState> => (session ? settleFlight(session, flight, end, at, this.#terms) : { result: 'fenced' }),
    )
  }

  end(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Ended> {
    return this.#step(
      (sql) => present(sql, handleDigest),
      (found): Step<Ended> => (found ? endByOwner(found, proof, descendsFrom) : { result: { kind: 'unknown' } }),
    )
  }

  revoke(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'> {
    return this.#end(session, 'revoked', reason)
  }

  quarantine(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'> {
    return this.#end(session, 'reauth', reason)
  }

  async revokeIssuedBefore(time: number, reason: string): Promise<readonly SessionSummary[]> {
    return this.#database.write((sql) =>
      sql
        .all(`SELECT * FROM sessions WHERE opened_at < $time AND state <> 'revoked' ORDER BY opened_at`, { time })
        .map(sessionOfRow)
        .map((session) => {
          keep(sql, endSession(session, 'revoked', reason), this.#now())
          return summaryOf(session)
        }),
    )
  }

  async expire(countMax: number): Promise<readonly SessionSummary[]> {
    return this.#database.write((sql) => {
      const now = this.#now()
      sql.run(`DELETE FROM sessions WHERE state = 'revoked' AND expires_at < $before`, { before: now - endedKeptMs })
      // A lifetime that was shortened counts for the sessions there are.
      const ended = sql
        .all(
          `SELECT * FROM sessions WHERE state <> 'revoked'
            AND (expires_at <= $now OR opened_at <= $tooOld OR (state = 'ready' AND opened_at <= $unclaimed)) ORDER BY opened_at LIMIT $max`,
          { now, tooOld: now - this.#terms.lifetimeMs, unclaimed: now - this.#terms.claimMs, max: countMax },
        )
        .map(sessionOfRow)
      for (const session of ended) keep(sql, endSession(session, 'revoked', 'past its end'), now)
      return ended.map(summaryOf)
    })
  }

  find(session: SessionId): Promise<SessionSummary | undefined> {
    return this.#database.read((sql) => {
      const found = find(sql, session)
      return found && summaryOf(found)
    })
  }

  list({ tenant, agent, isLive: onlyLive }: SessionFilter, countMax: number): Promise<readonly SessionSummary[]> {
    return this.#database.read((sql) =>
      sql
        .all(
          `SELECT * FROM sessions WHERE ($tenant IS NULL OR tenant = $tenant) AND ($agent IS NULL OR agent = $agent)
            AND ($live = 0 OR state NOT IN ('revoked', 'reauth')) ORDER BY opened_at DESC, id LIMIT $max`,
          { tenant: tenant ?? null, agent: agent ?? null, live: onlyLive === true ? 1 : 0, max: countMax },
        )
        .map(sessionOfRow)
        .map(summaryOf),
    )
  }

  takeOrphans(countMax: number): Promise<readonly Orphan[]> {
    return this.#database.write((sql) => {
      const now = this.#now()
      return sql.all(`SELECT * FROM session_orphans WHERE next_offer_at <= $now ORDER BY key LIMIT $max`, { now, max: countMax }).map((row) => {
        const offers = wholeNumber(row, 'offers') + 1
        sql.run(`UPDATE session_orphans SET offers = $offers, next_offer_at = $next WHERE key = $key`, {
          offers,
          next: now + orphanRetryMs,
          key: wholeNumber(row, 'key'),
        })
        return {
          key: String(wholeNumber(row, 'key')),
          session: text(row, 'session'),
          generation: wholeNumber(row, 'generation'),
          sealed: bytes(row, 'sealed') ?? new Uint8Array(),
          offers,
        }
      })
    })
  }

  async forgetOrphan(key: string): Promise<void> {
    await this.#database.write((sql) => sql.run(`DELETE FROM session_orphans WHERE key = $key`, { key: Number(key) }))
  }

  #end(session: SessionId, state: 'revoked' | 'reauth', reason: string): Promise<'unknown' | 'already' | 'done'> {
    return this.#step(
      (sql) => find(sql, session),
      (found): Step<'unknown' | 'already' | 'done'> => (found ? endSession(found, state, reason) : { result: 'unknown' }),
    )
  }

  /** Looks first: who changes nothing takes no lock. What would change is worked out again, in the transaction that keeps it. */
  async #step<Found, Result>(look: (sql: Sql) => Found, decide: (found: Found, at: number) => Step<Result>): Promise<Result> {
    const looked = await this.#database.read((sql) => decide(look(sql), this.#now()))
    if (!looked.session && !looked.orphan) return looked.result
    return this.#database.write((sql) => {
      const at = this.#now()
      const step = decide(look(sql), at)
      keep(sql, step, at)
      return step.result
    })
  }
}

function find(sql: Sql, session: SessionId): SessionRecord | undefined {
  const row = sql.get(`SELECT * FROM sessions WHERE id = $session`, { session })
  return row && sessionOfRow(row)
}

function present(sql: Sql, digest: string): Presented | undefined {
  const row = sql.get(`SELECT s.*, h.generation AS presented FROM session_handles h JOIN sessions s ON s.id = h.session WHERE h.digest = $digest`, { digest })
  return row && { session: sessionOfRow(row), generation: wholeNumber(row, 'presented') }
}

/** Those that are not over, newest first. */
function liveSessionsOf(sql: Sql, { tenant, agent }: { readonly tenant: string; readonly agent: string }): SessionRecord[] {
  return sql
    .all(`SELECT * FROM sessions WHERE tenant = $tenant AND agent = $agent AND state NOT IN ('revoked', 'reauth') ORDER BY opened_at DESC, id`, {
      tenant,
      agent,
    })
    .map(sessionOfRow)
}

function keep(sql: Sql, { session, handle, orphan }: Step<unknown>, at: number): void {
  if (session) sql.run(keepSession, rowOfSession(session))
  if (session && handle !== undefined) {
    const { id, generation } = session
    sql.run(`INSERT INTO session_handles (digest, session, generation) VALUES ($digest, $id, $generation)`, { digest: handle, id, generation })
    sql.run(`DELETE FROM session_handles WHERE session = $id AND generation <= $old`, { id, old: generation - handlesKeptMax })
  }
  if (orphan) keepOrphan(sql, orphan, at)
}

function keepOrphan(sql: Sql, { session, generation, sealed }: SealedToken, at: number): void {
  sql.run(`INSERT INTO session_orphans (session, generation, sealed, offers, next_offer_at) VALUES ($session, $generation, $sealed, 0, $at)`, {
    session,
    generation,
    sealed,
    at,
  })
}
