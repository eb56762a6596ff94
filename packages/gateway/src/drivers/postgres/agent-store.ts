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
import { keepChange, lockChanges } from './changes.ts'
import type { ClusterDatabase, Sql, Value } from './cluster-database.ts'

const ofAgent = 'tenant = $1 AND agent = $2'

/** `AgentStore` on a PostgreSQL that several gateways share. What a roster shows goes to the other gateways as a change. */
export class PostgresAgentStore implements AgentStore {
  readonly #database: ClusterDatabase
  /** For what narrows trust: however many agents renew, it has a connection. */
  readonly #urgent: ClusterDatabase

  constructor(database: ClusterDatabase, urgent: ClusterDatabase = database) {
    this.#database = database
    this.#urgent = urgent
  }

  registerAgent(agent: AgentKey, atMs: number): Promise<'exists' | 'registered'> {
    return this.#write(async (sql) => {
      const added = await sql.run(`INSERT INTO agents (tenant, agent, standing, registered_at) VALUES ($1, $2, 'active', $3) ON CONFLICT DO NOTHING`, [
        ...key(agent),
        atMs,
      ])
      if (added === 0) return 'exists'
      await keepChange(sql, { kind: 'standing', agent: plain(agent), standing: 'active' })
      return 'registered'
    })
  }

  keepToken(agent: AgentKey, digest: string, expiresAtMs: number): Promise<'unknown-agent' | 'agent-revoked' | 'kept'> {
    return this.#write(async (sql) => {
      const standing = await standingOf(sql, agent)
      if (standing !== 'active') return standing === undefined ? 'unknown-agent' : 'agent-revoked'
      await sql.run(
        `INSERT INTO enrolment_tokens (tenant, agent, digest, expires_at) VALUES ($1, $2, $3, $4)
          ON CONFLICT (tenant, agent) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at`,
        [...key(agent), digest, expiresAtMs],
      )
      return 'kept'
    })
  }

  findToken(digest: string, nowMs: number): Promise<AgentKey | undefined> {
    return this.#database.read(async (sql) => {
      const [row] = await sql.all('SELECT tenant, agent FROM enrolment_tokens WHERE digest = $1 AND expires_at > $2', [digest, nowMs])
      return row && agentKey(row)
    })
  }

  enrol(digest: string, certificate: NewCertificate): Promise<'refused' | 'recorded'> {
    return this.#write(async (sql) => {
      if ((await standingOf(sql, certificate)) !== 'active') return 'refused'
      const used = await sql.run(`DELETE FROM enrolment_tokens WHERE ${ofAgent} AND digest = $3 AND expires_at > $4`, [
        ...key(certificate),
        digest,
        certificate.issuedAtMs,
      ])
      if (used !== 1) return 'refused'
      await record(sql, certificate, undefined)
      return 'recorded'
    })
  }

  async renew(previous: Thumbprint, certificate: NewCertificate, liveMax: number): Promise<'refused' | 'too-many' | 'recorded'> {
    // Who is refused holds up nobody: it is looked at without the lock first.
    const objection = await this.#database.read((sql) => objectionToRenewal(sql, previous, certificate, liveMax))
    if (objection) return objection
    return this.#write(async (sql) => {
      const stillObjection = await objectionToRenewal(sql, previous, certificate, liveMax)
      if (stillObjection) return stillObjection
      await record(sql, certificate, previous)
      return 'recorded'
    })
  }

  revokeAgent(agent: AgentKey, atMs: number): Promise<'unknown-agent' | RosterState['revokedCertificates']> {
    return this.#write(async (sql) => {
      if ((await sql.run(`UPDATE agents SET standing = 'revoked' WHERE ${ofAgent}`, key(agent))) === 0) return 'unknown-agent'
      await sql.run(`DELETE FROM enrolment_tokens WHERE ${ofAgent}`, key(agent))
      await sql.run(`UPDATE certificates SET revoked_at = $3 WHERE ${ofAgent} AND revoked_at IS NULL`, [...key(agent), atMs])
      const rows = await sql.all(`SELECT thumbprint, not_after FROM certificates WHERE ${ofAgent} AND not_after >= $3`, [...key(agent), atMs])
      const certificates = rows.map(revokedCertificate)
      await keepChange(sql, { kind: 'standing', agent: plain(agent), standing: 'revoked' })
      await keepChange(sql, { kind: 'revoked', certificates })
      return certificates
    }, this.#urgent)
  }

  reinstateAgent(agent: AgentKey): Promise<'unknown-agent' | 'not-revoked' | 'reinstated'> {
    return this.#write(async (sql) => {
      const standing = await standingOf(sql, agent)
      if (standing !== 'revoked') return standing === undefined ? 'unknown-agent' : 'not-revoked'
      await sql.run(`UPDATE agents SET standing = 'active' WHERE ${ofAgent}`, key(agent))
      await keepChange(sql, { kind: 'standing', agent: plain(agent), standing: 'active' })
      return 'reinstated'
    })
  }

  revokeCertificate(agent: AgentKey, thumbprint: Thumbprint, atMs: number): Promise<'unknown-certificate' | { readonly notAfterMs: number }> {
    return this.#write(async (sql) => {
      const [row] = await sql.all(
        `UPDATE certificates SET revoked_at = coalesce(revoked_at, $4) WHERE ${ofAgent} AND thumbprint = $3 RETURNING thumbprint, not_after`,
        [...key(agent), thumbprint, atMs],
      )
      if (!row) return 'unknown-certificate'
      const revoked = revokedCertificate(row)
      await keepChange(sql, { kind: 'revoked', certificates: [revoked] })
      return { notAfterMs: revoked.notAfterMs }
    }, this.#urgent)
  }

  distrustAll(atMs: number): Promise<void> {
    return this.#write(async (sql) => {
      await sql.run('DELETE FROM enrolment_tokens')
      const revoked = await sql.all('UPDATE certificates SET revoked_at = $1 WHERE revoked_at IS NULL RETURNING thumbprint, not_after', [atMs])
      await keepChange(sql, { kind: 'revoked', certificates: revoked.map(revokedCertificate).filter(({ notAfterMs }) => notAfterMs >= atMs) })
    }, this.#urgent)
  }

  setBlock(block: Block, atMs: number): Promise<'already-set' | 'set'> {
    return this.#write(async (sql) => {
      const { tenant, agent } = blockKey(block)
      const added = await sql.run('INSERT INTO blocks (tenant, agent, set_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [tenant, agent, atMs])
      if (added === 0) return 'already-set'
      await keepChange(sql, { kind: 'blocked', block: blockOf(blockKey(block)) })
      return 'set'
    }, this.#urgent)
  }

  liftBlock(block: Block): Promise<'not-set' | 'lifted'> {
    return this.#write(async (sql) => {
      const { tenant, agent } = blockKey(block)
      if ((await sql.run(`DELETE FROM blocks WHERE ${ofAgent}`, [tenant, agent])) === 0) return 'not-set'
      await keepChange(sql, { kind: 'lifted', block: blockOf(blockKey(block)) })
      return 'lifted'
    })
  }

  agents(): Promise<readonly RegisteredAgent[]> {
    return this.#database.read(registeredAgents)
  }

  certificates(agent: AgentKey): Promise<readonly IssuedCertificate[]> {
    return this.#database.read(async (sql) =>
      (await sql.all(`SELECT * FROM certificates WHERE ${ofAgent} ORDER BY issued_at DESC, thumbprint`, key(agent))).map(issuedCertificate),
    )
  }

  countLive(issuer: Thumbprint, nowMs: number): Promise<number> {
    return this.#database.read(async (sql) => {
      const [row] = await sql.all('SELECT count(*) AS live FROM certificates WHERE not_after >= $1 AND issuer = $2 AND revoked_at IS NULL', [nowMs, issuer])
      return row ? wholeNumber(row, 'live') : 0
    })
  }

  rosterState(nowMs: number): Promise<RosterState> {
    return this.#database.read(async (sql) => ({
      agents: await registeredAgents(sql),
      revokedCertificates: (await sql.all('SELECT thumbprint, not_after FROM certificates WHERE not_after >= $1 AND revoked_at IS NOT NULL', [nowMs])).map(
        revokedCertificate,
      ),
      blocks: (await sql.all('SELECT tenant, agent FROM blocks ORDER BY tenant, agent')).map(blockOf),
    }))
  }

  /** One after the other, whichever gateway asks: they are few, and none is lost between two others. */
  #write<Result>(work: (sql: Sql) => Promise<Result>, database = this.#database): Promise<Result> {
    return database.write(async (sql) => {
      await lockChanges(sql)
      return work(sql)
    })
  }
}

async function objectionToRenewal(sql: Sql, previous: Thumbprint, certificate: NewCertificate, liveMax: number): Promise<'refused' | 'too-many' | undefined> {
  if ((await standingOf(sql, certificate)) !== 'active') return 'refused'
  const live = await sql.all(`SELECT thumbprint FROM certificates WHERE ${ofAgent} AND revoked_at IS NULL AND not_after >= $3`, [
    ...key(certificate),
    certificate.issuedAtMs,
  ])
  if (!live.some((row) => row['thumbprint'] === previous)) return 'refused'
  return live.length >= liveMax ? 'too-many' : undefined
}

async function standingOf(sql: Sql, agent: AgentKey): Promise<RegisteredAgent['standing'] | undefined> {
  const [row] = await sql.all(`SELECT standing FROM agents WHERE ${ofAgent}`, key(agent))
  return row && standingIn(row)
}

async function record(sql: Sql, certificate: NewCertificate, previous: Thumbprint | undefined): Promise<void> {
  const { thumbprint, issuer, issuedAtMs, notAfterMs } = certificate
  await sql.run(`DELETE FROM certificates WHERE ${ofAgent} AND not_after < $3`, [...key(certificate), issuedAtMs - lineageKeptMs])
  await sql.run('INSERT INTO certificates (tenant, agent, thumbprint, issuer, previous, issued_at, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7)', [
    ...key(certificate),
    thumbprint,
    issuer,
    previous ?? null,
    issuedAtMs,
    notAfterMs,
  ])
}

async function registeredAgents(sql: Sql): Promise<RegisteredAgent[]> {
  return (await sql.all('SELECT * FROM agents ORDER BY tenant COLLATE "C", agent COLLATE "C"')).map(registeredAgent)
}

function key({ tenant, agent }: AgentKey): readonly Value[] {
  return [tenant, agent]
}

/** What is kept of it, whatever else the caller's object has. */
function plain({ tenant, agent }: AgentKey): AgentKey {
  return { tenant, agent }
}
