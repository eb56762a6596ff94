import { agentIdentity, unreachable, type AgentName, type SpiffeId, type TenantName, type Thumbprint, type TrustDomain } from '@sallyport/contract'
import type { Roster } from '../../identity/roster.ts'
import type { AgentKey, Block, RegisteredAgent, RosterState } from './agent-store.ts'

/** A revoked certificate is remembered past its end, so that a clock set back does not let it in again. */
const clockStepMs = 24 * 3_600_000

/** The roster in memory: loaded once, then changed by the authority right after each durable change. */
export class LiveRoster implements Roster {
  readonly trustDomain: TrustDomain
  readonly #standings = new Map<SpiffeId, RegisteredAgent['standing']>()
  readonly #revoked = new Map<Thumbprint, number>()
  readonly #blocks = new Set<string>()
  #roots: ReadonlySet<string> = new Set()

  constructor(trustDomain: TrustDomain, roots: readonly Thumbprint[], state: RosterState) {
    this.trustDomain = trustDomain
    this.trustOnly(roots)
    for (const agent of state.agents) this.setStanding(agent, agent.standing)
    for (const { thumbprint, notAfterMs } of state.revokedCertificates) this.#revoked.set(thumbprint, notAfterMs)
    for (const block of state.blocks) this.block(block)
  }

  standing(agent: SpiffeId): 'active' | 'revoked' | 'unknown' {
    return this.#standings.get(agent) ?? 'unknown'
  }

  isRevoked(certificate: Thumbprint): boolean {
    return this.#revoked.has(certificate)
  }

  trustsAny(issuers: readonly string[]): boolean {
    return issuers.some((issuer) => this.#roots.has(issuer))
  }

  isBlocked(tenant: TenantName, agent: AgentName): boolean {
    return this.#blocks.size > 0 && (this.#blocks.has(everyone) || this.#blocks.has(tenant) || this.#blocks.has(`${tenant}/${agent}`))
  }

  trustOnly(roots: readonly Thumbprint[]): void {
    this.#roots = new Set(roots)
  }

  setStanding({ tenant, agent }: AgentKey, standing: RegisteredAgent['standing']): void {
    this.#standings.set(agentIdentity(this.trustDomain, tenant, agent).id, standing)
  }

  /** Adds to the denylist, and forgets those whose certificates ended long before `nowMs`: their end keeps them out. */
  revoke(certificates: RosterState['revokedCertificates'], nowMs: number): void {
    for (const [thumbprint, notAfterMs] of this.#revoked) if (notAfterMs + clockStepMs < nowMs) this.#revoked.delete(thumbprint)
    for (const { thumbprint, notAfterMs } of certificates) this.#revoked.set(thumbprint, notAfterMs)
  }

  block(block: Block): void {
    this.#blocks.add(blockKey(block))
  }

  lift(block: Block): void {
    this.#blocks.delete(blockKey(block))
  }
}

/** No tenant has this name. */
const everyone = '*'

function blockKey(block: Block): string {
  switch (block.scope) {
    case 'all':
      return everyone
    case 'tenant':
      return block.tenant
    case 'agent':
      return `${block.tenant}/${block.agent}`
    default:
      return unreachable(block)
  }
}
