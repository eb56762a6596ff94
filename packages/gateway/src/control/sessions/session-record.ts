import type { Thumbprint } from '@sallyport/contract'
import type { SessionClient, SessionId, SessionOwner, SessionSubject } from './session.ts'

/**
 * - `revoked`: over for good.
 * - `reauth`: the provider's token is of no more use; a person must log in.
 * - `ready`: a person has opened it, and the agent has not taken it up.
 * - `active`: nothing is under way.
 * - `refreshing`: one flight to the provider is under way, until `heldUntil` at the latest.
 * - `uncertain`: the provider may have rotated the token or not, and is left alone until `heldUntil`.
 */
export type SessionState = 'revoked' | 'reauth' | 'ready' | 'active' | 'refreshing' | 'uncertain'

/** A session as the store keeps it. Times are milliseconds of the store's own clock. */
export interface SessionRecord extends SessionSubject {
  readonly id: SessionId
  readonly owner: SessionOwner
  /** The operator who started the login, where one did. */
  readonly person: string | undefined
  /** The program that it was opened for; undefined: the agent itself. */
  readonly client?: SessionClient | undefined
  readonly state: SessionState
  /** Why it is uncertain or over. */
  readonly reason: string | undefined
  /** The one certificate that counts; none while the session is ready. */
  readonly certificate: Thumbprint | undefined
  /** Counts the handles, from 1, which is made when the agent takes the session up. A number and nothing else: two handles of one second are two generations. */
  readonly generation: number
  /** When the handle of this generation was made. */
  readonly handleMadeAt: number
  readonly isHandleUsed: boolean
  /** The handle of this generation, sealed, to be given again to whoever shows its predecessor; gone once it is used. */
  readonly sealedHandle: Uint8Array | undefined
  /** The provider's refresh token; gone once the session is over. */
  readonly sealedToken: Uint8Array | undefined
  /** Counts the flights. Only the flight that has the newest number can land. */
  readonly fence: number
  /** Flights since the provider last gave tokens. */
  readonly attempts: number
  readonly heldUntil: number
  readonly openedAt: number
  readonly expiresAt: number
}

/** The operator's choices, fixed at start. */
export interface SessionTerms {
  /** From login to the end, however often it is refreshed and whatever the provider says. */
  readonly lifetimeMs: number
  /** How long a session waits for its agent. */
  readonly claimMs: number
  /** How long a handle that was replaced still gets its successor, as long as nobody has used that. */
  readonly replayMs: number
  /** How long the provider may take for one answer. */
  readonly flightMs: number
  /** How long the provider is left alone after an answer that leaves open what it did: no shorter than it can take to do it. */
  readonly quarantineMs: number
  readonly ticketMs: number
}

export const sessionTermsDefault: SessionTerms = {
  lifetimeMs: 7 * 24 * 3_600_000,
  claimMs: 3_600_000,
  replayMs: 600_000,
  flightMs: 20_000,
  quarantineMs: 30_000,
  ticketMs: 300_000,
}

/** A ticket is for minutes: it outlives the revocation of its session where the news has not arrived. */
export const ticketMsMax = 300_000
export const firstGeneration = 1
/** Flights with one token: the first and one probe. */
export const attemptsMax = 2
/** The provider is left alone for so long when it could not be reached at all. */
export const restMs = 5000
/** Handles of one session that are remembered. An older one is unknown, and changes nothing. */
export const handlesKeptMax = 4096
/** Sessions of one agent that are not over. */
export const sessionsPerAgentMax = 16
/** Of those, sessions that one person has opened for one program at one resource: then the oldest gives way. */
export const sessionsPerClientMax = 4
/** A session that is over is kept for so long after its end, for an investigation. */
export const endedKeptMs = 90 * 24 * 3_600_000
/** After so long a token is offered to the provider again, if that did not take it back. */
export const orphanRetryMs = 60_000
/** Offers of one token; then it is given up as lost. */
export const orphanOffersMax = 20

/** When a session ends, by the terms of now: a lifetime that was shortened shortens the sessions there are. */
export function endOf({ openedAt, expiresAt }: SessionRecord, { lifetimeMs }: SessionTerms): number {
  return Math.min(expiresAt, openedAt + lifetimeMs)
}

/**
 * What one act on a session comes to, worked out from the session alone. The store keeps all of it or none.
 */
export interface Step<Result> {
  readonly result: Result
  /** What the session becomes; absent when nothing changes. */
  readonly session?: SessionRecord
  /** The digest of the handle that this step made for the new generation. */
  readonly handle?: string
  /** A token of the provider that no session needs any more. */
  readonly orphan?: SealedToken
}

/** A refresh token, bound to its session and generation. */
export interface SealedToken {
  readonly session: SessionId
  readonly generation: number
  readonly sealed: Uint8Array
}

/** The session ends, and its token is to be given back. */
export function over(session: SessionRecord, state: 'revoked' | 'reauth', reason: string): Pick<Step<never>, 'session' | 'orphan'> {
  const { id, generation, sealedToken } = session
  return {
    // The fence moves with the state: what a flight under way brings can land nowhere.
    session: { ...session, state, reason, fence: session.fence + 1, sealedHandle: undefined, sealedToken: undefined, heldUntil: 0 },
    ...(sealedToken && { orphan: { session: id, generation, sealed: sealedToken } }),
  }
}
