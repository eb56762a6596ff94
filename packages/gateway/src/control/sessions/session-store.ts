import type { AgentName, TenantName, Thumbprint } from '@sallyport/contract'
import type { Flight, NotProven, Verdict } from './gate.ts'
import { firstGeneration, type SealedToken, type SessionRecord, type SessionState, type SessionTerms } from './session-record.ts'
import type { Proof, SessionClient, SessionId, SessionOwner, SessionSubject } from './session.ts'
import type { Claimable, FlightEnd, Landed, MadeHandle } from './steps.ts'

export interface NewSession extends SessionSubject {
  readonly id: SessionId
  readonly owner: SessionOwner
  readonly person: string | undefined
  readonly client?: SessionClient | undefined
  /** Bound to the session and generation 1, which its first handle will be of. */
  readonly sealedToken: Uint8Array
}

/** A session as operators see it. */
export interface SessionSummary extends SessionSubject {
  readonly id: SessionId
  readonly owner: SessionOwner
  readonly person: string | undefined
  readonly client?: SessionClient | undefined
  readonly state: SessionState
  readonly reason: string | undefined
  readonly certificate: Thumbprint | undefined
  readonly generation: number
  readonly openedAt: number
  readonly expiresAt: number
}

/** What became of an agent's wish to end its session; `over`: it had ended. */
export type Ended =
  NotProven | { readonly kind: 'unknown' } | { readonly kind: 'over'; readonly session: SessionId } | { readonly kind: 'ended'; readonly session: SessionId }

export interface SessionFilter {
  readonly tenant?: TenantName
  readonly agent?: AgentName
  /** Only what is not over. */
  readonly isLive?: boolean
}

export interface Orphan extends SealedToken {
  readonly key: string
  /** How often it has been taken, this time included. */
  readonly offers: number
}

/**
 * Sessions, their handles, and tokens that are to be given back.
 *
 * Every verb is one step on one session: atomic across processes, in one order for each session, durable when it resolves, and by the store's own clock, so that no
 * gateway's clock counts. Handles are kept as digests, tokens sealed by the caller.
 *
 * @throws Fault from every verb: `not-done` when nothing has changed, `unknown` when it may have. Every verb can be repeated then.
 */
export interface SessionStore {
  /** Keeps a session as ready. What `replacedBy` names gives way to it. `too-many` beyond `sessionsPerAgentMax` that are not over. */
  open(session: NewSession): Promise<'too-many' | { readonly replaced: readonly SessionSummary[] }>

  /** What the agent can take up, of its own or this one of a program. Changes nothing. */
  claimable(proof: Proof, session?: SessionId): Promise<Claimable>
  /** Takes a session up. Of any number of calls for one session at most one resolves to `claimed`. */
  claim(session: SessionId, proof: Proof, handle: MadeHandle): Promise<'gone' | 'claimed'>

  /**
   * Asks the gate. Of any number of calls at most one resolves to `fly` while a lease runs. Whoever fails the proof takes no lock.
   *
   * @param descendsFrom see `gate`
   */
  gate(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Verdict>
  /**
   * Makes the handle of the flight the current one. `fenced` when the session went another way meanwhile; a new token is then kept as an orphan. Repeated after it
   * had landed, it says so again.
   */
  commitFlight(flight: Flight, landed: Landed): Promise<'fenced' | 'landed'>
  /** Ends a flight that brings nothing. @returns the state that the session is in now */
  settleFlight(flight: Flight, end: FlightEnd): Promise<'fenced' | SessionState>

  /** The owner ends the session. */
  end(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Ended>
  /** Ends a session for good, a flight under way included. */
  revoke(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'>
  /** Ends what its tokens can do; its agent is told that a person must log in. */
  quarantine(session: SessionId, reason: string): Promise<'unknown' | 'already' | 'done'>
  /**
   * Revokes every session that was opened before: whatever was issued under it since descends from a token of that time. Each by itself: after a Fault, repeat it.
   */
  revokeIssuedBefore(time: number, reason: string): Promise<readonly SessionSummary[]>
  /** Revokes sessions past their end, and forgets those that ended long ago. */
  expire(countMax: number): Promise<readonly SessionSummary[]>

  find(session: SessionId): Promise<SessionSummary | undefined>
  /** Newest first. */
  list(filter: SessionFilter, countMax: number): Promise<readonly SessionSummary[]>

  /** Tokens to give back. Each goes to one caller and comes again after `orphanRetryMs`, until it is forgotten. */
  takeOrphans(countMax: number): Promise<readonly Orphan[]>
  forgetOrphan(key: string): Promise<void>
}

export function summaryOf(session: SessionRecord): SessionSummary {
  const { id, owner, person, client, issuer, subject, scopes, state, reason, certificate, generation, openedAt, expiresAt } = session
  return { id, owner, person, ...(client && { client }), issuer, subject, scopes, state, reason, certificate, generation, openedAt, expiresAt }
}

export function newRecord(
  { id, owner, issuer, subject, scopes, person, client, sealedToken }: NewSession,
  at: number,
  { lifetimeMs }: SessionTerms,
): SessionRecord {
  return {
    id,
    owner,
    issuer,
    subject,
    scopes,
    person,
    ...(client && { client }),
    state: 'ready',
    reason: undefined,
    certificate: undefined,
    generation: firstGeneration,
    handleMadeAt: at,
    isHandleUsed: false,
    sealedHandle: undefined,
    sealedToken,
    fence: 0,
    attempts: 0,
    heldUntil: 0,
    openedAt: at,
    expiresAt: at + lifetimeMs,
  }
}
