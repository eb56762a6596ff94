import { isDeepStrictEqual } from 'node:util'
import type { Thumbprint } from '@sallyport/contract'
import { answerable, objectionTo, type Answerable, type Flight, type Presented } from './gate.ts'
import { attemptsMax, endOf, firstGeneration, over, restMs, sessionsPerClientMax, type SessionRecord, type SessionTerms, type Step } from './session-record.ts'
import type { Ended, NewSession } from './session-store.ts'
import type { Proof, SessionId } from './session.ts'

/** A handle as the store keeps it: who reads the store cannot show it. */
export interface MadeHandle {
  /** SHA-256, base64url. */
  readonly digest: string
  readonly sealed: Uint8Array
}

/** What a flight brings back, sealed for the generation that it makes. */
export interface Landed {
  readonly handle: MadeHandle
  readonly sealedToken: Uint8Array
  /** False when the provider gave no new token: then there is none to give back, should the flight land nowhere. */
  readonly isTokenNew: boolean
  readonly scopes: readonly string[]
}

/** How a flight that brings nothing ended. */
export type FlightEnd =
  | { readonly kind: 'refused'; readonly reason: string }
  /** The provider gave tokens that cannot be used: of another subject, or for more than was granted. */
  | { readonly kind: 'unfit'; readonly reason: string; readonly sealedToken: Uint8Array | undefined }
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Certainly nothing has left. */
  | { readonly kind: 'unsent'; readonly reason: string }

export type Claimable = { readonly kind: 'none' } | { readonly kind: 'ready'; readonly session: SessionId } | Answerable

/**
 * What `proof` can take up of these sessions of its agent: one that is ready, or again the one that it has just taken up and not used. A session of a program is
 * taken up by its name alone, so that none gets what another person has granted.
 */
export function claimable(all: readonly SessionRecord[], proof: Proof, at: number, terms: SessionTerms, wanted?: SessionId): Claimable {
  const sessions = all.filter(({ id, client }) => (client ? id === wanted : wanted === undefined))
  const ready = sessions.find((session) => isClaimable(session, proof, at, terms))
  if (ready) return { kind: 'ready', session: ready.id }
  for (const session of sessions) {
    if (session.state !== 'active' || session.generation !== firstGeneration || !session.sealedHandle || objectionTo(session, proof, undefined)) continue
    if (at - session.handleMadeAt < terms.replayMs && at < endOf(session, terms)) return answerable(session, session.sealedHandle, at, terms)
  }
  return { kind: 'none' }
}

/** Binds the session to the certificate that is shown. `gone` when it is not ready any more. */
export function claim(session: SessionRecord, proof: Proof, handle: MadeHandle, at: number, terms: SessionTerms): Step<'gone' | 'claimed'> {
  if (!isClaimable(session, proof, at, terms)) return { result: 'gone' }
  return {
    result: 'claimed',
    handle: handle.digest,
    session: { ...session, state: 'active', certificate: proof.thumbprint, handleMadeAt: at, isHandleUsed: false, sealedHandle: handle.sealed },
  }
}

/** @param isKnown whether the handle that the flight made is in the store: then it has landed before, and only the news of it was lost */
export function commitFlight(session: SessionRecord, flight: Flight, landed: Landed, isKnown: boolean, at: number): Step<'fenced' | 'landed'> {
  if (isKnown) return { result: 'landed' }
  if (!isUnderWay(session, flight)) {
    const { session: id, generation } = flight
    return { result: 'fenced', ...(landed.isTokenNew && { orphan: { session: id, generation: generation + 1, sealed: landed.sealedToken } }) }
  }
  return {
    result: 'landed',
    handle: landed.handle.digest,
    session: {
      ...session,
      state: 'active',
      reason: undefined,
      generation: flight.generation + 1,
      handleMadeAt: at,
      isHandleUsed: false,
      sealedHandle: landed.handle.sealed,
      sealedToken: landed.sealedToken,
      scopes: landed.scopes,
      attempts: 0,
      heldUntil: 0,
    },
  }
}

/** @returns the state that the session is in now */
export function settleFlight(session: SessionRecord, flight: Flight, end: FlightEnd, at: number, terms: SessionTerms): Step<'fenced' | SessionRecord['state']> {
  const orphan = end.kind === 'unfit' && end.sealedToken && { session: flight.session, generation: flight.generation + 1, sealed: end.sealedToken }
  if (!isUnderWay(session, flight)) return { result: 'fenced', ...(orphan && { orphan }) }
  const { reason } = end
  switch (end.kind) {
    case 'refused': // the provider has done with the token
      return { result: 'reauth', session: over({ ...session, sealedToken: undefined }, 'reauth', reason).session ?? session }
    case 'unfit':
      return { ...over(session, 'reauth', reason), ...(orphan && { orphan }), result: 'reauth' }
    case 'unknown':
      if (session.attempts >= attemptsMax) return { ...over(session, 'reauth', reason), result: 'reauth' }
      return { result: 'uncertain', session: { ...session, state: 'uncertain', reason, heldUntil: at + terms.quarantineMs } }
    case 'unsent':
      return { result: 'uncertain', session: { ...session, state: 'uncertain', reason, attempts: session.attempts - 1, heldUntil: at + restMs } }
  }
}

/**
 * What gives way to a new session. An agent takes up the newest of its own; a program waits for the very one that its code is for, and logs in anew when it has
 * lost it.
 *
 * @param live newest first
 */
export function replacedBy({ client, issuer, subject }: NewSession, live: readonly SessionRecord[]): readonly SessionRecord[] {
  if (!client) return live.filter((session) => session.state === 'ready' && !session.client)
  const same = live.filter((session) => isDeepStrictEqual([session.client, session.issuer, session.subject], [client, issuer, subject]))
  return same.slice(sessionsPerClientMax - 1)
}

/** The owner ends the session, with whichever of its handles. */
export function endByOwner({ session }: Presented, proof: Proof, descendsFrom: Thumbprint | undefined): Step<Ended> {
  const notProven = objectionTo(session, proof, descendsFrom)
  if (notProven) return { result: notProven }
  if (session.state === 'revoked') return { result: { kind: 'over', session: session.id } }
  return { ...over(session, 'revoked', 'ended by its agent'), result: { kind: 'ended', session: session.id } }
}

/** `already` when the session is over as far as that. */
export function endSession(session: SessionRecord, state: 'revoked' | 'reauth', reason: string): Step<'already' | 'done'> {
  if (session.state === 'revoked' || session.state === state) return { result: 'already' }
  return { ...over(session, state, reason), result: 'done' }
}

function isClaimable(session: SessionRecord, proof: Proof, at: number, terms: SessionTerms): boolean {
  return (
    session.state === 'ready' &&
    session.owner.id === proof.id &&
    session.client?.id === proof.client?.id &&
    at - session.openedAt < terms.claimMs &&
    at < endOf(session, terms)
  )
}

function isUnderWay({ state, fence }: SessionRecord, flight: Flight): boolean {
  return state === 'refreshing' && fence === flight.fence
}
