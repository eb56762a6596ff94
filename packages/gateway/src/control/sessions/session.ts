import type { AgentName, EarlierActor, Refused, SpiffeId, TenantName, Thumbprint } from '@sallyport/contract'

/** A session's name in the log and for operators; knowing it gives nobody anything. */
export type SessionId = string

/** Whose session it is, for good. */
export interface SessionOwner {
  readonly id: SpiffeId
  readonly tenant: TenantName
  readonly agent: AgentName
}

/** The program in whose hands a session is, where it is not its agent's own. */
export interface SessionClient {
  /** Its `client_id`: the https address of its metadata. */
  readonly id: string
  /** The only path at which its tickets count. */
  readonly resource: string
}

/**
 * What a caller proves on its connection at this moment: that it holds the key of this certificate. Taken anew on every turn of every wait, since a certificate can
 * be revoked, and a connection cut, while an identity provider thinks.
 */
export interface Proof extends SessionOwner {
  readonly thumbprint: Thumbprint
  /** As whom the caller asks, where it is a program with a session of its own; it may name the resource that it means. */
  readonly client?: { readonly id: string; readonly resource?: string | undefined } | undefined
}

/** Asks for the proof as it counts now. Refuses as `identify` does. */
export type AskProof = () => Proof | Refused

/** What the identity provider said of the person who logged in. */
export interface SessionSubject {
  /** Issuer identifier, exactly as in the provider's metadata (RFC 8414 section 2). */
  readonly issuer: string
  readonly subject: string
  readonly scopes: readonly string[]
}

/** A login that a person has completed for an agent. The refresh token never leaves the gateway. */
export interface CompletedLogin extends SessionSubject {
  readonly owner: SessionOwner
  readonly refreshToken: string
  /** The operator who started the login, where one did. */
  readonly person: string | undefined
  readonly client?: SessionClient | undefined
}

/** What an agent gets: the only things of a session that ever leave the gateway. */
export interface SessionGrant {
  readonly session: SessionId
  /** 256 random bits, base64url. Worthless without the key of the certificate it is bound to, and replaced by each refresh. */
  readonly handle: string
  /** A signed ticket of at most five minutes, bound to the certificate (`cnf`, RFC 8705 section 3.1). */
  readonly ticket: string
  /** Milliseconds since the epoch. */
  readonly ticketExpiresAt: number
  readonly sessionExpiresAt: number
  readonly scopes: readonly string[]
}

/** What agents do with their sessions. Every method proves ownership before it looks at anything else. */
export interface AgentSessions {
  /** Takes up the session that a person has opened for this agent, or this one of a program. Refuses `session.none`. */
  claim(askProof: AskProof, deadline: number, session?: SessionId): Promise<SessionGrant | Refused>
  /**
   * Trades a handle for its successor. Refuses `session.invalid` (one code for unknown, revoked, expired and another's), `session.stale-handle`,
   * `session.login-required`, `session.provider-unavailable`.
   */
  refresh(handle: string, askProof: AskProof, deadline: number): Promise<SessionGrant | Refused>
  /** Revokes the caller's own session. Refuses `session.invalid`. */
  end(handle: string, askProof: AskProof): Promise<'ended' | Refused>
}

/** What a ticket says. Its wire form is `typ: sallyport-ticket+jwt`. */
export interface TicketFacts extends SessionSubject {
  readonly session: SessionId
  readonly generation: number
  readonly owner: SessionOwner
  readonly thumbprint: Thumbprint
  /** The only path at which it counts; absent: all. */
  readonly resource?: string | undefined
  /** Those who passed the work on to the owner, the latest first. Absent: the session is the owner's own. */
  readonly earlierActors?: readonly EarlierActor[]
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Signs tickets. Rejects with Fault; nothing was issued then. */
export type MintTicket = (facts: TicketFacts) => Promise<string>
