import type { Thumbprint } from '@sallyport/contract'
import { attemptsMax, endOf, over, type SessionRecord, type SessionTerms, type Step } from './session-record.ts'
import type { Proof, SessionId, SessionOwner, SessionSubject } from './session.ts'

/** A session, found by a handle, and the generation that the handle is of. */
export interface Presented {
  readonly session: SessionRecord
  readonly generation: number
}

/** The right to ask the provider once, and to bring back what it says. */
export interface Flight extends SessionSubject {
  readonly session: SessionId
  readonly owner: SessionOwner
  readonly generation: number
  readonly fence: number
  readonly sealedToken: Uint8Array
  /** The token was in another flight before, and nobody knows what became of it. */
  readonly isProbe: boolean
}

/** What the gate lets out: the current handle, and what a ticket says. */
export interface Answerable extends SessionSubject {
  readonly kind: 'answer'
  readonly session: SessionId
  readonly owner: SessionOwner
  readonly generation: number
  readonly sealedHandle: Uint8Array
  /** The only path at which the ticket counts; undefined: all. */
  readonly resource: string | undefined
  /** Of the store's clock. */
  readonly at: number
  readonly expiresAt: number
}

/** Who showed a handle without owning its session. Nothing has changed. */
export type NotProven =
  | { readonly kind: 'not-owner'; readonly session: SessionId }
  /** The agent is the right one; `bound` is the certificate that counts. */
  | { readonly kind: 'other-certificate'; readonly session: SessionId; readonly bound: Thumbprint | undefined }
  /** It is in the hands of another program, or for another resource. */
  | { readonly kind: 'other-client'; readonly session: SessionId }

export type Verdict =
  | { readonly kind: 'unknown' }
  | NotProven
  | { readonly kind: 'over'; readonly session: SessionId; readonly reason: string }
  | { readonly kind: 'login-required'; readonly session: SessionId; readonly reason: string }
  /** This act has ended the session. */
  | { readonly kind: 'ended'; readonly session: SessionId; readonly state: 'revoked' | 'reauth'; readonly reason: string }
  | { readonly kind: 'stale'; readonly session: SessionId }
  | { readonly kind: 'wait'; readonly session: SessionId; readonly isQuarantined: boolean; readonly heldForMs: number }
  | { readonly kind: 'fly'; readonly flight: Flight }
  | Answerable

/**
 * The one gate: every arrival and every turn of every wait passes it, in every state of the session. There is no other way to a flight or to an answer.
 *
 * First the proof, then the state, then which handle it is. Whoever fails the proof learns and changes nothing, or a leaked handle would be a way to end the
 * owner's session.
 *
 * @param descendsFrom the certificate from which, by the record of our own authority, the one that is shown was renewed
 */
export function gate({ session, generation }: Presented, proof: Proof, descendsFrom: Thumbprint | undefined, at: number, terms: SessionTerms): Step<Verdict> {
  const notProven = objectionTo(session, proof, descendsFrom)
  if (notProven) return { result: notProven }
  const { id } = session

  if (session.state === 'revoked') return { result: { kind: 'over', session: id, reason: session.reason ?? 'revoked' } }
  if (at >= endOf(session, terms)) return { result: { kind: 'over', session: id, reason: 'past its end' } }
  if (session.state === 'reauth') return { result: { kind: 'login-required', session: id, reason: session.reason ?? 'login required' } }

  const owned = { ...session, certificate: proof.thumbprint }
  const rebound = session.certificate === proof.thumbprint ? {} : { session: owned }
  // RFC 9700 section 4.14: a credential that was replaced twice is shown by someone who should not have it.
  if (generation < session.generation - 1) return end(owned, 'revoked', 'a handle was shown that was replaced twice')
  if (generation === session.generation - 1) {
    if (at - session.handleMadeAt >= terms.replayMs) return end(owned, 'revoked', 'a handle was shown long after it was replaced')
    if (session.isHandleUsed || !session.sealedHandle) return { ...rebound, result: { kind: 'stale', session: id } }
    return { ...rebound, result: answerable(owned, session.sealedHandle, at, terms) }
  }
  if (session.state !== 'active') {
    const heldForMs = heldFor(session, at, terms)
    if (heldForMs > 0) return { ...rebound, result: { kind: 'wait', session: id, isQuarantined: session.state === 'uncertain', heldForMs } }
    if (session.attempts >= attemptsMax) return end(owned, 'reauth', session.reason ?? 'it is not known what became of the refresh token')
  }
  return takeOff(owned, at, terms)
}

/** Undefined when the session is the caller's. */
export function objectionTo({ id, owner, client, certificate }: SessionRecord, proof: Proof, descendsFrom: Thumbprint | undefined): NotProven | undefined {
  if (proof.id !== owner.id) return { kind: 'not-owner', session: id }
  // RFC 6749 section 10.4: a refresh token is bound to the client that it was given to; RFC 8707 section 2.2: and to its resource.
  if (proof.client?.id !== client?.id || (proof.client?.resource ?? client?.resource) !== client?.resource) return { kind: 'other-client', session: id }
  if (certificate !== undefined && (proof.thumbprint === certificate || descendsFrom === certificate)) return undefined
  return { kind: 'other-certificate', session: id, bound: certificate }
}

export function answerable(session: SessionRecord, sealedHandle: Uint8Array, at: number, terms: SessionTerms): Answerable {
  const { id, owner, client, generation, issuer, subject, scopes } = session
  const resource = client?.resource
  return { kind: 'answer', session: id, owner, generation, issuer, subject, scopes, resource, sealedHandle, at, expiresAt: endOf(session, terms) }
}

/** A flight may take its time and the quarantine besides: then a lost one has also left the provider time enough. */
function leaseMs({ flightMs, quarantineMs }: SessionTerms): number {
  return flightMs + quarantineMs
}

function heldFor({ heldUntil }: SessionRecord, at: number, terms: SessionTerms): number {
  const left = heldUntil - at
  return left > leaseMs(terms) ? 0 : left // nothing is held for longer: the clock was put back
}

function takeOff(session: SessionRecord, at: number, terms: SessionTerms): Step<Verdict> {
  const { id, owner, generation, issuer, subject, scopes, sealedToken } = session
  if (!sealedToken) throw new TypeError('a session that goes on has a token')
  const fence = session.fence + 1
  return {
    session: {
      ...session,
      state: 'refreshing',
      fence,
      attempts: session.attempts + 1,
      heldUntil: at + leaseMs(terms),
      isHandleUsed: true,
      sealedHandle: undefined,
    },
    result: { kind: 'fly', flight: { session: id, owner, generation, fence, issuer, subject, scopes, sealedToken, isProbe: session.attempts > 0 } },
  }
}

function end(session: SessionRecord, state: 'revoked' | 'reauth', reason: string): Step<Verdict> {
  return { ...over(session, state, reason), result: { kind: 'ended', session: session.id, state, reason } }
}
