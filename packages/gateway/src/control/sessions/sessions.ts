import { Fault, refused, unreachable, type Refused } from '@sallyport/contract'
import type { RefusalSeen } from '../../audit/refusal-tally.ts'
import { RefusalSample } from '../authority/refusal-sample.ts'
import { fly, type FlightPorts } from './fly.ts'
import type { Answerable, Flight, NotProven, Verdict } from './gate.ts'
import { digestOfHandle, newHandle } from './handle.ts'
import type { Lineage } from './lineage.ts'
import { returnOrphans } from './return-orphans.ts'
import { handlePlace } from './sealed-texts.ts'
import { callerOf } from './session-log.ts'
import { firstGeneration, ticketMsMax, type SessionTerms } from './session-record.ts'
import type { SessionStore } from './session-store.ts'
import type { AgentSessions, AskProof, MintTicket, Proof, SessionGrant, SessionId } from './session.ts'
import { waitTurn } from './wait.ts'

export interface SessionsPorts extends Omit<FlightPorts, 'orphaned' | 'store'> {
  readonly store: SessionStore
  readonly lineage: Lineage
  readonly mint: MintTicket
  /** This node's clock: for deadlines of callers, and for nothing that decides about a session. */
  readonly now: () => number
  /** Counts a refusal of someone who has shown a certificate. */
  readonly refuse: (seen: Omit<RefusalSeen, 'request'>) => void
  /** The session is over: its live tickets need not be believed any more. */
  readonly ended: (session: SessionId) => void
}

/** Claims and refreshes under way at once; beyond, callers are told to come back. */
export const arrivalsMax = 1024

type Turn = Verdict | { readonly kind: 'none' } | { readonly kind: 'again' }

interface FlightUnderWay {
  done: Promise<void>
  readonly proof: Proof
  validation: number | undefined
}

/** An answer that is made and not yet given. */
interface Prepared {
  readonly grant: SessionGrant
  readonly generation: number
  readonly proof: Proof
}

/** What agents do with their sessions. Never rejects but for a bug: a store or a log that fails is a refusal. */
export class Sessions implements AgentSessions {
  readonly #ports: SessionsPorts
  readonly #terms: SessionTerms
  /** This node's flights. There can be others. */
  readonly #flights = new Map<SessionId, FlightUnderWay>()
  readonly #strangers = new RefusalSample()
  #returning: Promise<void> | undefined
  #arrivals = 0

  constructor(ports: SessionsPorts, terms: SessionTerms) {
    if (terms.ticketMs > ticketMsMax) throw new TypeError('a ticket is for minutes')
    this.#ports = ports
    this.#terms = terms
  }

  claim(askProof: AskProof, deadline: number, session?: SessionId): Promise<SessionGrant | Refused> {
    return this.#arrive('claimed', askProof, deadline, (proof) => this.#claim(proof, session))
  }

  async refresh(handle: string, askProof: AskProof, deadline: number): Promise<SessionGrant | Refused> {
    const answer = await this.#refresh(handle, askProof, deadline)
    const proof = askProof()
    const caller = 'problem' in proof ? undefined : proof
    this.#ports.see({ kind: 'refresh', caller, result: 'problem' in answer ? answer.problem.code : 'answered' })
    return answer
  }

  async end(handle: string, askProof: AskProof): Promise<'ended' | Refused> {
    const digest = digestOfHandle(handle)
    if (digest === undefined) return refused('session.invalid', 'no handle has this form')
    const proof = askProof()
    if ('problem' in proof) return proof
    try {
      const ended = await this.#withLineage(proof, (descendsFrom) => this.#ports.store.end(digest, proof, descendsFrom))
      switch (ended.kind) {
        case 'ended':
          await this.#ended(ended.session, 'revoked', proof, 'ended by its agent')
          return 'ended'
        case 'over':
          return 'ended'
        case 'unknown':
          return refused('session.invalid', 'the handle is unknown')
        default:
          return await this.#refuseStranger(ended, proof)
      }
    } catch (fault) {
      return unavailable(fault)
    }
  }

  /** Gives tokens back that no session needs any more. Never rejects. */
  async returnOrphans(): Promise<void> {
    // One at a time on this node; what becomes an orphan meanwhile has its turn with the next.
    this.#returning ??= returnOrphans(this.#ports, this.#terms.flightMs)
      .catch((fault: unknown) => this.#ports.report('session-orphans', fault))
      .finally(() => (this.#returning = undefined))
    await this.#returning
  }

  /** Resolves when no flight of this node is under way. Flights end by their own deadlines. */
  async close(): Promise<void> {
    while (this.#flights.size > 0 || this.#returning) await Promise.all([...[...this.#flights.values()].map(({ done }) => done), this.#returning])
  }

  async #refresh(handle: string, askProof: AskProof, deadline: number): Promise<SessionGrant | Refused> {
    const digest = digestOfHandle(handle)
    if (digest === undefined) return refused('session.invalid', 'no handle has this form')
    return this.#arrive('refreshed', askProof, deadline, (proof) => this.#gate(digest, proof))
  }

  async #arrive(act: 'claimed' | 'refreshed', askProof: AskProof, deadline: number, turn: (proof: Proof) => Promise<Turn>): Promise<SessionGrant | Refused> {
    if (this.#arrivals >= arrivalsMax) return refused('edge.overloaded', 'too many refreshes wait', { retryAfterSeconds: 1 })
    this.#arrivals += 1
    try {
      return await this.#takeTurns(act, askProof, deadline, turn)
    } catch (fault) {
      return unavailable(fault)
    } finally {
      this.#arrivals -= 1
    }
  }

  /**
   * Turn after turn through the same gate, with the proof as it counts at that turn, until there is an answer or the deadline. An answer is made after one turn
   * and given after another that still says the same, with nothing in between: so none is given after a revocation.
   */
  async #takeTurns(
    act: 'claimed' | 'refreshed',
    askProof: AskProof,
    deadline: number,
    takeTurn: (proof: Proof) => Promise<Turn>,
  ): Promise<SessionGrant | Refused> {
    let prepared: Prepared | undefined
    let own: FlightUnderWay | undefined
    for (let turn = 0; ; turn += 1) {
      const proof = askProof()
      if ('problem' in proof) return proof
      const verdict = await takeTurn(proof)
      switch (verdict.kind) {
        case 'answer':
          if (prepared && isSame(prepared, verdict, proof) && isStillProven(askProof, proof)) return prepared.grant
          if (turn > 0 && this.#ports.now() >= deadline) return tooLate(1)
          prepared = await this.#prepare(act, verdict, proof, own)
          break
        case 'fly':
          own = this.#launch(verdict.flight, proof)
          break
        case 'wait': {
          const leftMs = deadline - this.#ports.now()
          if (!(await waitTurn(this.#ports.pause, verdict, this.#flights.get(verdict.session)?.done, turn, leftMs))) return this.#comeBack(verdict, proof)
          break
        }
        case 'again':
          if (this.#ports.now() >= deadline) return tooLate(1)
          break
        case 'none':
          return refused('session.none')
        case 'unknown':
          this.#ports.see({ kind: 'no-session', caller: proof })
          return refused('session.invalid', 'the handle is unknown')
        case 'not-owner':
        case 'other-certificate':
        case 'other-client':
          return this.#refuseStranger(verdict, proof)
        case 'over':
          this.#ports.see({ kind: 'no-session', caller: proof, session: verdict.session })
          return refused('session.invalid', `session ${verdict.session}: ${verdict.reason}`)
        case 'stale':
          return refused('session.stale-handle', `session ${verdict.session}`)
        case 'login-required':
          return refused('session.login-required', `session ${verdict.session}: ${verdict.reason}`)
        case 'ended':
          await this.#ended(verdict.session, verdict.state === 'revoked' ? 'reused' : 'reauth-required', proof, verdict.reason)
          return refused(verdict.state === 'revoked' ? 'session.invalid' : 'session.login-required', `session ${verdict.session}: ${verdict.reason}`)
        default:
          return unreachable(verdict)
      }
    }
  }

  #gate(digest: string, proof: Proof): Promise<Verdict> {
    return this.#withLineage(proof, (descendsFrom) => this.#ports.store.gate(digest, proof, descendsFrom))
  }

  /** Asks again with the record of our authority, if that knows how this certificate came from the one that counts. */
  async #withLineage<Result extends { readonly kind: string }>(
    proof: Proof,
    ask: (descendsFrom?: NonNullable<Extract<NotProven, { kind: 'other-certificate' }>['bound']>) => Promise<Result | NotProven>,
  ): Promise<Result | NotProven> {
    const first = await ask()
    if (!isOtherCertificate(first) || first.bound === undefined) return first
    return (await this.#ports.lineage.descends(proof, first.bound)) ? ask(first.bound) : first
  }

  async #claim(proof: Proof, session: SessionId | undefined): Promise<Turn> {
    const { store, seal, random } = this.#ports
    const found = await store.claimable(proof, session)
    if (found.kind !== 'ready') return found
    const handle = newHandle(random)
    await store.claim(found.session, proof, { digest: digestOfHandle(handle) ?? '', sealed: seal.seal(handlePlace(found.session, firstGeneration), handle) })
    return { kind: 'again' }
  }

  #launch(flight: Flight, proof: Proof): FlightUnderWay {
    const ports = { ...this.#ports, orphaned: () => void this.returnOrphans() }
    const own: FlightUnderWay = { proof, validation: undefined, done: Promise.resolve() }
    own.done = fly(ports, this.#terms, flight, proof, (index) => (own.validation = index))
      .catch((bug: unknown) => this.#ports.report('session-flight', bug))
      .finally(() => this.#flights.get(flight.session) === own && this.#flights.delete(flight.session))
    this.#flights.set(flight.session, own)
    return own
  }

  /** Writes down what allows the answer and that it is given, both durably, and signs the ticket. @throws Fault */
  async #prepare(act: 'claimed' | 'refreshed', verdict: Answerable, proof: Proof, own: FlightUnderWay | undefined): Promise<Prepared> {
    const { log, seal, mint } = this.#ports
    const { session, owner, generation, issuer, subject, scopes, resource, at } = verdict
    const handle = seal.open(handlePlace(session, generation), verdict.sealedHandle)
    const facts = { session, caller: callerOf(proof, proof.thumbprint), generation }
    const validated = own?.proof.thumbprint === proof.thumbprint ? own.validation : undefined
    const validation = validated ?? (await log.write({ act: 'validated', ...facts }))
    await log.write({ act, ...facts, validation })
    const ticketExpiresAt = Math.min(at + this.#terms.ticketMs, verdict.expiresAt)
    const { thumbprint } = proof
    const ticket = await mint({ session, generation, owner, thumbprint, issuer, subject, scopes, resource, issuedAt: at, expiresAt: ticketExpiresAt })
    return { generation, proof, grant: { session, handle, ticket, ticketExpiresAt, sessionExpiresAt: verdict.expiresAt, scopes } }
  }

  #comeBack({ session, heldForMs }: Extract<Verdict, { kind: 'wait' }>, proof: Proof): Refused {
    this.#ports.see({ kind: 'slow-path', caller: proof, session })
    return tooLate(Math.max(1, Math.ceil(heldForMs / 1000)))
  }

  async #ended(session: SessionId, act: 'revoked' | 'reused' | 'reauth-required', proof: Proof, reason: string): Promise<void> {
    if (act === 'reused') this.#ports.see({ kind: 'handle-reused', caller: proof, session })
    if (act !== 'reauth-required') this.#ports.ended(session) // tickets of a session that cannot be refreshed run to their end
    await this.#ports.log.tell({ act, session, caller: callerOf(proof, proof.thumbprint), reason })
    void this.returnOrphans()
  }

  /** The first few of a kind are written one by one; beyond, they are counted, so that no thief fills the log. */
  async #refuseStranger(verdict: NotProven, proof: Proof): Promise<Refused> {
    const { log, refuse, now } = this.#ports
    const { session } = verdict
    const reason = notProvenReasons[verdict.kind]
    this.#ports.see({ kind: 'ownership-failed', caller: proof, session })
    this.#strangers.takeCounts(now())
    if (this.#strangers.isTold(`${session} ${proof.thumbprint}`, now()))
      await log.tell({ act: 'ownership-failed', session, caller: callerOf(proof, proof.thumbprint), reason })
    else
      refuse({
        caller: { certificate: proof.thumbprint, tenant: proof.tenant, agent: proof.agent },
        code: 'session.invalid',
        reason: `session ${session}: ${reason}`,
      })
    return refused('session.invalid', `session ${session}: ${reason}`)
  }
}

const notProvenReasons = {
  'not-owner': 'the session is of another agent',
  'other-certificate': 'the certificate does not descend from the one of the session',
  'other-client': 'the session is of another program, or for another resource',
} as const satisfies Record<NotProven['kind'], string>

function isOtherCertificate(verdict: { readonly kind: string }): verdict is Extract<NotProven, { kind: 'other-certificate' }> {
  return verdict.kind === 'other-certificate'
}

function isSame({ grant, generation, proof }: Prepared, verdict: Answerable, shown: Proof): boolean {
  return grant.session === verdict.session && generation === verdict.generation && proof.thumbprint === shown.thumbprint
}

function isStillProven(askProof: AskProof, proof: Proof): boolean {
  const now = askProof()
  return !('problem' in now) && now.id === proof.id && now.thumbprint === proof.thumbprint
}

function tooLate(retryAfterSeconds: number): Refused {
  return refused('session.provider-unavailable', 'there was no answer before the deadline', { retryAfterSeconds })
}

/** A store, a log or a key that failed: no answer, and nothing is lost. */
function unavailable(fault: unknown): Refused {
  if (!(fault instanceof Fault)) throw fault
  return refused('session.unavailable', fault.message, { retryAfterSeconds: 1 })
}
