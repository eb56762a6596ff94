import type { AgentName, TenantName, Thumbprint } from '@sallyport/contract'

export interface AgentKey {
  readonly tenant: TenantName
  readonly agent: AgentName
}

export interface RegisteredAgent extends AgentKey {
  readonly standing: 'active' | 'revoked'
  readonly registeredAtMs: number
}

export interface IssuedCertificate extends AgentKey {
  readonly thumbprint: Thumbprint
  /** Fingerprint of the root that signed it. */
  readonly issuer: Thumbprint
  /** The certificate that proved the right to this one; absent for an enrolment. */
  readonly previous: Thumbprint | undefined
  readonly issuedAtMs: number
  readonly notAfterMs: number
  readonly revokedAtMs: number | undefined
}

export type NewCertificate = Omit<IssuedCertificate, 'previous' | 'revokedAtMs'>

/** The kill switch's reach. */
export type Block = { readonly scope: 'all' } | { readonly scope: 'tenant'; readonly tenant: TenantName } | ({ readonly scope: 'agent' } & AgentKey)

/** What a node must know to judge certificates without asking the store. */
export interface RosterState {
  readonly agents: readonly RegisteredAgent[]
  /** Those that have not expired on their own. */
  readonly revokedCertificates: readonly { readonly thumbprint: Thumbprint; readonly notAfterMs: number }[]
  readonly blocks: readonly Block[]
}

/** Certificates are remembered for so long after their end, so that lineage can be followed through an investigation. */
export const lineageKeptMs = 90 * 24 * 3_600_000

/**
 * Agents, their certificates and enrolment tokens, and the kill switch.
 *
 * Every key starts with the tenant. Each verb is atomic across processes and durable when it resolves. Times are milliseconds since the epoch, given by the
 * caller.
 *
 * @throws Fault from every verb: `not-done` when the store could not be asked, `unknown` when it broke while writing.
 */
export interface AgentStore {
  registerAgent(agent: AgentKey, atMs: number): Promise<'exists' | 'registered'>

  /** Keeps the digest of a token's secret until `expiresAtMs`. A newer token withdraws an older unused one of the same agent. */
  keepToken(agent: AgentKey, digest: string, expiresAtMs: number): Promise<'unknown-agent' | 'agent-revoked' | 'kept'>
  /** Whose unexpired, unused token this is. Changes nothing: strangers may ask. */
  findToken(digest: string, nowMs: number): Promise<AgentKey | undefined>
  /**
   * Uses the token up and records the certificate made for it, or does neither. Of any number of calls with one digest at most one resolves to `recorded`.
   * `refused` when the token is gone, expired or another agent's, or the agent is not active.
   */
  enrol(digest: string, certificate: NewCertificate): Promise<'refused' | 'recorded'>

  /**
   * Records a certificate as the successor of `previous`. `refused` unless `previous` belongs to the same active agent and is neither revoked nor expired at
   * that moment; `too-many` when the agent has `liveMax` certificates that still count.
   */
  renew(previous: Thumbprint, certificate: NewCertificate, liveMax: number): Promise<'refused' | 'too-many' | 'recorded'>

  /** Revokes the agent, every certificate it has, and its unused token. Idempotent. Resolves with the thumbprints now revoked that have not expired. */
  revokeAgent(agent: AgentKey, atMs: number): Promise<'unknown-agent' | RosterState['revokedCertificates']>
  /** The agent may enrol anew. Its old certificates stay revoked: whoever stole their key gets nothing back. */
  reinstateAgent(agent: AgentKey): Promise<'unknown-agent' | 'not-revoked' | 'reinstated'>
  /** Idempotent. */
  revokeCertificate(agent: AgentKey, thumbprint: Thumbprint, atMs: number): Promise<'unknown-certificate' | { readonly notAfterMs: number }>
  /** After the loss of the authority's key: withdraws every token and revokes every certificate of everyone. */
  distrustAll(atMs: number): Promise<void>

  setBlock(block: Block, atMs: number): Promise<'already-set' | 'set'>
  liftBlock(block: Block): Promise<'not-set' | 'lifted'>

  agents(): Promise<readonly RegisteredAgent[]>
  /** Newest first. */
  certificates(agent: AgentKey): Promise<readonly IssuedCertificate[]>
  /** How many certificates of this root still count. */
  countLive(issuer: Thumbprint, nowMs: number): Promise<number>
  rosterState(nowMs: number): Promise<RosterState>
}
