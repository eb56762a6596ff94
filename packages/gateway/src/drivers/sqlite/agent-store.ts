import type { Thumbprint } from '@sallyport/contract'
import {
  lineageKeptMs,
  type AgentKey,
  type AgentStore,
  type Block,
  type IssuedCertificate,
  type NewCertificate,
  type RegisteredAgent,
  type RosterState,
} from '../../control/authority/agent-store.ts'
import { agentKey, blockKey, blockOf, issuedCertificate, registeredAgent, revokedCertificate, standingIn } from '../agent-row.ts'
import { wholeNumber } from '../row.ts'
import type { Database, Sql } from './database.ts'

/** `AgentStore` on the embedded database. */
export class SqliteAgentStore implements AgentStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async registerAgent(agent: AgentKey, atMs: number): Promise<'exists' | 'registered'> {
    const added = await this.#database.write((sql) =>
      sql.run(`INSERT INTO agents (tenant, agent, standing, registered_at) VALUES ($tenant, $agent, 'active', $at) ON CONFLICT DO NOTHING`, {
        ...key(agent),
        at: atMs,
      }),
    )
    return added === 0 ? 'exists' : 'registered'
  }

  keepToken(agent: AgentKey, digest: string, expiresAtMs: number): Promise<'unknown-agent' | 'agent-revoked' | 'kept'> {
    return this.#database.write((sql) => {
      const standing = standingOf(sql, agent)
      if (standing !== 'active') return standing === undefined ? 'unknown-agent' : 'agent-revoked'
      sql.run(`INSERT OR REPLACE INTO enrolment_tokens (tenant, agent, digest, expires_at) VALUES ($tenant, $agent, $digest, $end)`, {
        ...key(agent),
        digest,
        end: expiresAtMs,
      })
      return 'kept'
    })
  }

  findToken(digest: string, nowMs: number): Promise<AgentKey | undefined> {
    return this.#database.read((sql) => {
      const row = sql.get(`SELECT tenant, agent FROM enrolment_tokens WHERE digest = $digest AND expires_at > $now`, { digest, now: nowMs })
      return row && agentKey(row)
    })
  }

  enrol(digest: string, certificate: NewCertificate): Promise<'refused' | 'recorded'> {
    return this.#database.write((sql) => {
      if (standingOf(sql, certificate) !== 'active') return 'refused'
      const used = sql.run(`DELETE FROM enrolment_tokens WHERE tenant = $tenant AND agent = $agent AND digest = $digest AND expires_at > $now`, {
        ...key(certificate),
        digest,
        now: certificate.issuedAtMs,
      })
      if (used !== 1) return 'refused'
      record(sql, certificate, undefined)
      return 'recorded'
    })
  }

  renew(previous: Thumbprint, certificate: NewCertificate, liveMax: number): Promise<'refused' | 'too-many' | 'recorded'> {
    return this.#database.write((sql) => {
      if (standingOf(sql, certificate) !== 'active') return 'refused'
      const live = sql.all(`SELECT thumbprint FROM certificates WHERE tenant = $tenant AND agent = $agent AND revoked_at IS NULL AND not_after >= $now`, {
        ...key(certificate),
        now: certificate.issuedAtMs,
      })
      if (!live.some((row) => row['thumbprint'] === previous)) return 'refused'
      if (live.length >= liveMax) return 'too-many'
      record(sql, certificate, previous)
      return 'recorded'
    })
  }

  revokeAgent(agent: AgentKey, atMs: number): Promise<'unknown-agent' | RosterState['revokedCertificates']> {
    return this.#database.write((sql) => {
      if (sql.run(`UPDATE agents SET standing = 'revoked' WHERE tenant = $tenant AND agent = $agent`, key(agent)) === 0) return 'unknown-agent'
      sql.run(`DELETE FROM enrolment_tokens WHERE tenant = $tenant AND agent = $agent`, key(agent))
      sql.run(`UPDATE certificates SET revoked_at = $at WHERE tenant = $tenant AND agent = $agent AND revoked_at IS NULL`, { ...key(agent), at: atMs })
      const rows = sql.all(`SELECT thumbprint, not_after FROM certificates WHERE tenant = $tenant AND agent = $agent AND not_after >= $at`, {
        ...key(agent),
        at: atMs,
      })
      return rows.map(revokedCertificate)
    })
  }

  reinstateAgent(agent: AgentKey): Promise<'unknown-agent' | 'not-revoked' | 'reinstated'> {
    return this.#database.write((sql) => {
      const standing = standingOf(sql, agent)
      if (standing !== 'revoked') return standing === undefined ? 'unknown-agent' : 'not-revoked'
      sql.run(`UPDATE agents SET standing = 'active' WHERE tenant = $tenant AND agent = $agent`, key(agent))
      return 'reinstated'
    })
  }

  revokeCertificate(agent: AgentKey, thumbprint: Thumbprint, atMs: number): Promise<'unknown-certificate' | { readonly notAfterMs: number }> {
    return this.#database.write((sql) => {
      const row = sql.get(
        `UPDATE certificates SET revoked_at = coalesce(revoked_at, $at) WHERE tenant = $tenant AND agent = $agent AND thumbprint = $thumbprint RETURNING not_after`,
        { ...key(agent), thumbprint, at: atMs },
      )
      return row ? { notAfterMs: wholeNumber(row, 'not_after') } : 'unknown-certificate'
    })
  }

  distrustAll(atMs: number): Promise<void> {
    return this.#database.write((sql) => {
      sql.run(`DELETE FROM enrolment_tokens`)
      sql.run(`UPDATE certificates SET revoked_at = $at WHERE revoked_at IS NULL`, { at: atMs })
    })
  }

  async setBlock(block: Block, atMs: number): Promise<'already-set' | 'set'> {
    const added = await this.#database.write((sql) =>
      sql.run(`INSERT INTO blocks (tenant, agent, set_at) VALUES ($tenant, $agent, $at) ON CONFLICT DO NOTHING`, { ...blockKey(block), at: atMs }),
    )
    return added === 0 ? 'already-set' : 'set'
  }

  async liftBlock(block: Block): Promise<'not-set' | 'lifted'> {
    const removed = await this.#database.write((sql) => sql.run(`DELETE FROM blocks WHERE tenant = $tenant AND agent = $agent`, blockKey(block)))
    return removed === 0 ? 'not-set' : 'lifted'
  }

  agents(): Promise<readonly RegisteredAgent[]> {
    return this.#database.read(registeredAgents)
  }

  certificates(agent: AgentKey): Promise<readonly IssuedCertificate[]> {
    return this.#database.read((sql) =>
      sql.all(`SELECT * FROM certificates WHERE tenant = $tenant AND agent = $agent ORDER BY issued_at DESC, thumbprint`, key(agent)).map(issuedCertificate),
    )
  }

  countLive(issuer: Thumbprint, nowMs: number): Promise<number> {
    return this.#database.read((sql) => {
      const row = sql.get(`SELECT count(*) AS live FROM certificates WHERE not_after >= $now AND issuer = $issuer AND revoked_at IS NULL`, {
        issuer,
        now: nowMs,
      })
      return row ? wholeNumber(row, 'live') : 0
    })
  }

  rosterState(nowMs: number): Promise<RosterState> {
    return this.#database.read((sql) => ({
      agents: registeredAgents(sql),
      revokedCertificates: sql
        .all(`SELECT thumbprint, not_after FROM certificates WHERE not_after >= $now AND revoked_at IS NOT NULL`, { now: nowMs })
        .map(revokedCertificate),
      blocks: sql.all(`SELECT tenant, agent FROM blocks`).map(blockOf),
    }))
  }
}

function standingOf(sql: Sql, agent: AgentKey): RegisteredAgent['standing'] | undefined {
  const row = sql.get(`SELECT standing FROM agents WHERE tenant = $tenant AND agent = $agent`, key(agent))
  return row && standingIn(row)
}

function record(sql: Sql, certificate: NewCertificate, previous: Thumbprint | undefined): void {
  const { thumbprint, issuer, issuedAtMs, notAfterMs } = certificate
  sql.run(`DELETE FROM certificates WHERE tenant = $tenant AND agent = $agent AND not_after < $end`, { ...key(certificate), end: issuedAtMs - lineageKeptMs })
  sql.run(
    `INSERT INTO certificates (tenant, agent, thumbprint, issuer, previous, issued_at, not_after) VALUES ($tenant, $agent, $thumbprint, $issuer, $previous, $at, $end)`,
    { ...key(certificate), thumbprint, issuer, previous: previous ?? null, at: issuedAtMs, end: notAfterMs },
  )
}

function registeredAgents(sql: Sql): RegisteredAgent[] {
  return sql.all(`SELECT * FROM agents ORDER BY tenant, agent`).map(registeredAgent)
}

function key({ tenant, agent }: AgentKey): { tenant: string; agent: string } {
  return { tenant, agent }
}
