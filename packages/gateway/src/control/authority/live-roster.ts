import { agentIdentity, unreachable, type AgentName, type SpiffeId, type TenantName, type Thumbprint, type TrustDomain } from '@sallyport/contract'
import type { Roster } from '../../identity/roster.ts'
import type { AgentKey, Block, RegisteredAgent, RosterState } from './agent-store.ts'

/** A revoked certificate is remembered past its end, so that a clock set back does not let it in again. */
const clockStepMs = 24 * 3_600_000

/** One change of a roster, as plain data for the rosters of other threads. */
export type RosterChange =
  | { readonly kind: 'emptied' }
  /** It says what the shared store says, for so long. Widens nothing and ends nothing. */
  | { readonly kind: 'current'; readonly fromMs: number; readonly untilMs: number }
  /** The shared store has not been heard of for too long. */
  | { readonly kind: 'doubted' }
  | { readonly kind: 'roots'; readonly roots: readonly string[] }
  | { readonly kind: 'standing'; readonly agent: AgentKey; readonly standing: RegisteredAgent['standing'] }
  | { readonly kind: 'revoked'; readonly certificates: RosterState['revokedCertificates']; readonly nowMs: number }
  | { readonly kind: 'blocked' | 'lifted'; readonly block: Block }

/** The roster in memory: loaded once, then changed by the authority: by what narrows trust before the disk has it, by what widens it after. */
export class LiveRoster implements Roster {
  readonly trustDomain: TrustDomain
  readonly #standings = new Map<SpiffeId, { readonly agent: AgentKey; readonly standing: RegisteredAgent['standing'] }>()
  readonly #revoked = new Map<Thumbprint, number>()
  readonly #blocks = new Map<string, Block>()
  #roots: ReadonlySet<string> = new Set()
  /** For ever where no other gateway changes anything. */
  #current = { fromMs: 0, untilMs: Number.POSITIVE_INFINITY }
  #onChange: (change: RosterChange) => void = () => undefined

  constructor(trustDomain: TrustDomain, roots: readonly Thumbprint[], state: RosterState) {
    this.trustDomain = trustDomain
    this.trustOnly(roots)
    for (const agent of state.agents) this.setStanding(agent, agent.standing)
    for (const { thumbprint, notAfterMs } of state.revokedCertificates) this.#revoked.set(thumbprint, notAfterMs)
    for (const block of state.blocks) this.block(block)
  }

  standing(agent: SpiffeId): 'active' | 'revoked' | 'unknown' {
    return this.#standings.get(agent)?.standing ?? 'unknown'
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

  /** A clock that was put back is as one that went too far. */
  isCurrent(nowMs: number): boolean {
    return nowMs >= this.#current.fromMs && nowMs <= this.#current.untilMs
  }

  get blocks(): readonly Block[] {
    return [...this.#blocks.values()]
  }

  trustOnly(roots: readonly Thumbprint[]): void {
    this.apply({ kind: 'roots', roots })
  }

  setStanding(agent: AgentKey, standing: RegisteredAgent['standing']): void {
    this.apply({ kind: 'standing', agent, standing })
  }

  /** Adds to the denylist, and forgets those whose certificates ended long before `nowMs`: their end keeps them out. */
  revoke(certificates: RosterState['revokedCertificates'], nowMs: number): void {
    this.apply({ kind: 'revoked', certificates, nowMs })
  }

  block(block: Block): void {
    this.apply({ kind: 'blocked', block })
  }

  lift(block: Block): void {
    this.apply({ kind: 'lifted', block })
  }

  /** Who passes every change on, in the order in which they are made. */
  onChange(listener: (change: RosterChange) => void): void {
    this.#onChange = listener
  }

  /** Everything that this roster says now. */
  changes(): readonly RosterChange[] {
    return [
      { kind: 'emptied' },
      { kind: 'current', ...this.#current },
      { kind: 'roots', roots: [...this.#roots] },
      ...[...this.#standings.values()].map(({ agent, standing }) => ({ kind: 'standing', agent, standing }) as const),
      { kind: 'revoked', certificates: [...this.#revoked].map(([thumbprint, notAfterMs]) => ({ thumbprint, notAfterMs })), nowMs: 0 },
      ...this.blocks.map((block) => ({ kind: 'blocked', block }) as const),
    ]
  }

  apply(change: RosterChange): void {
    switch (change.kind) {
      case 'emptied':
        this.#roots = new Set()
        for (const members of [this.#standings, this.#revoked, this.#blocks]) members.clear()
        break
      case 'current':
        this.#current = { fromMs: change.fromMs, untilMs: change.untilMs }
        break
      case 'doubted':
        this.#current = { fromMs: 0, untilMs: 0 }
        break
      case 'roots':
        this.#roots = new Set(change.roots)
        break
      case 'standing': {
        const { agent, standing } = change
        this.#standings.set(agentIdentity(this.trustDomain, agent.tenant, agent.agent).id, { agent, standing })
        break
      }
      case 'revoked':
        for (const [thumbprint, notAfterMs] of this.#revoked) if (notAfterMs + clockStepMs < change.nowMs) this.#revoked.delete(thumbprint)
        for (const { thumbprint, notAfterMs } of change.certificates) this.#revoked.set(thumbprint, notAfterMs)
        break
      case 'blocked':
        this.#blocks.set(blockKey(change.block), change.block)
        break
      case 'lifted':
        this.#blocks.delete(blockKey(change.block))
        break
      default:
        unreachable(change)
    }
    this.#onChange(change)
  }
}

/** No tenant has this name. */
const everyone = '*'

export function blockKey(block: Block): string {
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
