import type { SpiffeId, Thumbprint, TenantName, AgentName, TrustDomain } from '@sallyport/contract'

/**
 * What this node knows about agents right now: in memory, so that every request can ask without waiting.
 *
 * A revocation, block or retired root is visible to the next request after the call that made it returns; the control plane pushes each to every data-plane thread. What another gateway of a cluster changes is visible within a second.
 */
export interface Roster {
  readonly trustDomain: TrustDomain
  /** False while other gateways may have changed what this one has not heard of. */
  isCurrent(nowMs: number): boolean
  /** `unknown` for an agent that is not registered or was removed. */
  standing(agent: SpiffeId): 'active' | 'revoked' | 'unknown'
  isRevoked(certificate: Thumbprint): boolean
  /** Whether any of these chain fingerprints is a root that is trusted now. */
  trustsAny(issuers: readonly string[]): boolean
  /** Kill switch: everything, a tenant, or one agent. */
  isBlocked(tenant: TenantName, agent: AgentName): boolean
}
