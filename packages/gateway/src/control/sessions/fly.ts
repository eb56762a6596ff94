import { Fault } from '@sallyport/contract'
import { withDeadline, type Pause } from './deadline.ts'
import type { Flight } from './gate.ts'
import { digestOfHandle, newHandle } from './handle.ts'
import type { IdentityProvider, ProviderTokens, RefreshAnswer } from './identity-provider.ts'
import { handlePlace, tokenPlace, type Seal } from './sealed-texts.ts'
import { callerOf, type SessionLog } from './session-log.ts'
import type { SessionTerms } from './session-record.ts'
import type { SeeSessions } from './session-sight.ts'
import type { SessionStore } from './session-store.ts'
import type { Proof } from './session.ts'
import type { FlightEnd, Landed } from './steps.ts'

export interface FlightPorts {
  readonly store: Pick<SessionStore, 'commitFlight' | 'settleFlight'>
  readonly provider: IdentityProvider
  readonly log: SessionLog
  readonly seal: Seal
  readonly random: (length: number) => Uint8Array
  readonly pause: Pause
  readonly see: SeeSessions
  readonly report: (event: string, error: unknown) => void
  /** Orphans are in the store, to be given back. */
  readonly orphaned: () => void
}

/** Milliseconds between two attempts to bring a flight into the store; after the last, it is given up. All together are shorter than a quarantine. */
const storePauses = [50, 250, 1000, 3000]

/**
 * One flight to the provider: written down as validated, one request, and its end in the store. It belongs to no caller and has a deadline of its own. Never
 * repeats the request, and never rejects but for a bug.
 *
 * @param validated gets the index of the entry
 */
export async function fly(ports: FlightPorts, terms: SessionTerms, flight: Flight, proof: Proof, validated: (index: number) => void): Promise<void> {
  if (flight.isProbe) ports.see({ kind: 'slow-path', caller: flight.owner, session: flight.session })
  let token: string
  let validation: number
  try {
    token = ports.seal.open(tokenPlace(flight.session, flight.generation), flight.sealedToken)
    validation = await ports.log.write({ act: 'validated', ...about(flight, proof), generation: flight.generation, ...(flight.isProbe && { isProbe: true }) })
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    ports.report('session-flight', fault)
    return settle(ports, flight, { kind: 'unsent', reason: 'the flight could not be prepared' })
  }
  validated(validation)
  const answer = await ask(ports, terms, flight, token)
  if (answer.kind !== 'refreshed') return settle(ports, flight, answer)
  const unfit = objectionTo(flight, answer.tokens)
  if (unfit !== undefined) return settle(ports, flight, { kind: 'unfit', reason: unfit, sealedToken: sealedNewToken(ports, flight, answer.tokens) })
  return land(ports, terms, flight, token, answer.tokens, validation)
}

async function ask(ports: FlightPorts, terms: SessionTerms, flight: Flight, token: string): Promise<RefreshAnswer> {
  const late = (answer: RefreshAnswer): void => {
    if (answer.kind === 'refreshed' && answer.tokens.refreshToken !== undefined) void giveBack(ports, terms, flight, answer.tokens.refreshToken)
  }
  const answer = await withDeadline(ports.pause, terms.flightMs, (signal) => ports.provider.refresh(token, signal), late)
  return answer ?? { kind: 'unknown', reason: `the provider did not answer within ${terms.flightMs} ms` }
}

/** Why tokens cannot be taken for this session. */
function objectionTo(flight: Flight, { identity, scopes }: ProviderTokens): string | undefined {
  if (identity && (identity.issuer !== flight.issuer || identity.subject !== flight.subject)) return 'the provider answered for another subject'
  // RFC 6749 section 6: a refresh never gives more than was granted.
  if (scopes?.some((scope) => !flight.scopes.includes(scope))) return 'the provider answered with more than was granted'
  return undefined
}

async function land(ports: FlightPorts, terms: SessionTerms, flight: Flight, token: string, tokens: ProviderTokens, validation: number): Promise<void> {
  const { session, owner } = flight
  const generation = flight.generation + 1
  const outcome = await insist(ports, (landed) => ports.store.commitFlight(flight, landed), landedOf(ports, flight, token, tokens))
  switch (outcome) {
    case 'landed':
      return ports.log.tell({ act: 'rotated', session, caller: callerOf(owner), generation, validation })
    case 'fenced':
      return ports.orphaned()
    case undefined: // whoever comes next finds the lease over, and asks again with a token that the provider does not know any more
      if (tokens.refreshToken !== undefined) await giveBack(ports, terms, flight, tokens.refreshToken)
      return
  }
}

function landedOf({ random, seal }: FlightPorts, flight: Flight, token: string, tokens: ProviderTokens): Landed {
  const generation = flight.generation + 1
  const handle = newHandle(random)
  return {
    handle: { digest: digestOfHandle(handle) ?? '', sealed: seal.seal(handlePlace(flight.session, generation), handle) },
    sealedToken: seal.seal(tokenPlace(flight.session, generation), tokens.refreshToken ?? token),
    isTokenNew: tokens.refreshToken !== undefined,
    scopes: tokens.scopes ?? flight.scopes,
  }
}

async function settle(ports: FlightPorts, flight: Flight, end: FlightEnd): Promise<void> {
  const state = await insist(ports, (ended) => ports.store.settleFlight(flight, ended), end)
  const facts = { session: flight.session, caller: callerOf(flight.owner), generation: flight.generation, reason: end.reason }
  if (end.kind !== 'refused') ports.see({ kind: end.kind === 'unfit' ? 'answer-unfit' : 'slow-path', caller: flight.owner, session: flight.session })
  if (end.kind === 'refused' || end.kind === 'unfit') await ports.log.tell({ act: 'refused', ...facts })
  else await ports.log.tell({ act: 'uncertain', ...facts })
  if (state === 'reauth') await ports.log.tell({ act: 'reauth-required', ...facts })
  if (end.kind === 'unfit' || state === 'reauth') ports.orphaned()
}

/** Asks the store until it answers, a few times. Its verbs can be repeated. */
async function insist<Given, Result>({ pause, report }: FlightPorts, verb: (given: Given) => Promise<Result>, given: Given): Promise<Result | undefined> {
  for (const pauseMs of [0, ...storePauses]) {
    if (pauseMs > 0) await pause(pauseMs)
    try {
      return await verb(given)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      report('session-store', fault)
    }
  }
  return undefined
}

/** RFC 7009: gives a token back that could not be kept. */
async function giveBack({ provider, pause, log }: FlightPorts, { flightMs }: SessionTerms, { session, owner }: Flight, token: string): Promise<void> {
  const isGiven = await withDeadline(pause, flightMs, (signal) => provider.revoke(token, signal))
  await log.tell({ act: isGiven === true ? 'orphan-revoked' : 'orphan-lost', session, caller: callerOf(owner) })
}

function sealedNewToken({ seal }: FlightPorts, { session, generation }: Flight, { refreshToken }: ProviderTokens): Uint8Array | undefined {
  return refreshToken === undefined ? undefined : seal.seal(tokenPlace(session, generation + 1), refreshToken)
}

function about({ session }: Flight, proof: Proof) {
  return { session, caller: callerOf(proof, proof.thumbprint) }
}
