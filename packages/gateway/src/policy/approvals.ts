import { parseSpiffeId } from '@sallyport/contract'
import type { CallDigest } from './decision.ts'

/** Held calls that wait for a person, of one agent, of one tenant, and altogether. */
export const pendingPerAgentMax = 32
export const pendingPerTenantMax = 256
export const pendingMax = 4096

/** How long a person has to answer and the agent to use the answer, where the rule says nothing. */
export const approvalTtlDefaultMs = 600_000

/** Whose call it is. */
export interface Requester {
  readonly tenant: string
  readonly agent: string
}

export interface Approval {
  readonly id: string
  readonly requester: Requester
  readonly digest: CallDigest
  /** An approval counts before this moment, not at it. */
  readonly expiresAt: number
  readonly state: ApprovalState
}

export type ApprovalState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'denied'; readonly person: string }
  | { readonly kind: 'approved'; readonly person: string }
  | { readonly kind: 'used'; readonly person: string }

export type Answered =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'already-answered'; readonly answer: 'approved' | 'denied'; readonly person: string }
  /** The requester cannot approve its own call. */
  | { readonly kind: 'own-request' }
  | { readonly kind: 'answered'; readonly digest: CallDigest; readonly requester: Requester; readonly expiresAt: number }

/**
 * A person's yes to one exact call: asked for once per call, answered once, used once, and gone at its end.
 *
 * Every step is one synchronous act on one thread, so that of any number of answers the first counts, and of any number of calls one uses it.
 */
export class Approvals {
  readonly #byId = new Map<string, Approval>()
  /** The approval that a call finds: pending, denied or approved, never a used one. */
  readonly #byCall = new Map<string, Approval>()

  /** What this very call finds. */
  find(requester: Requester, digest: CallDigest, nowMs: number): Approval | undefined {
    const approval = this.#byCall.get(callKey(requester, digest))
    return approval && approval.expiresAt > nowMs ? approval : undefined
  }

  /** The bound that a further pending approval would break, or undefined when there is room. */
  fullFor({ tenant, agent }: Requester, nowMs: number): string | undefined {
    let all = 0
    let ofTenant = 0
    let ofAgent = 0
    for (const { state, requester, expiresAt } of this.#byId.values()) {
      if (state.kind !== 'pending' || expiresAt <= nowMs) continue
      all += 1
      if (requester.tenant !== tenant) continue
      ofTenant += 1
      if (requester.agent === agent) ofAgent += 1
    }
    if (ofAgent >= pendingPerAgentMax) return `${pendingPerAgentMax} calls of this agent wait for a person`
    if (ofTenant >= pendingPerTenantMax) return `${pendingPerTenantMax} calls of this tenant wait for a person`
    return all >= pendingMax ? `${pendingMax} calls wait for a person` : undefined
  }

  /**
   * Takes the place of whatever the same call had before, and forgets every approval that is over.
   *
   * @throws TypeError for an id that stands for another approval.
   */
  ask(id: string, requester: Requester, digest: CallDigest, expiresAt: number, nowMs: number): Approval {
    this.#sweep(nowMs)
    if (this.#byId.has(id)) throw new TypeError('an approval id was given out twice')
    const before = this.#byCall.get(callKey(requester, digest))
    if (before) this.#forget(before)
    const approval: Approval = { id, requester, digest, expiresAt, state: { kind: 'pending' } }
    this.#put(approval)
    return approval
  }

  /** The first answer counts; every later one is told who gave it. */
  answer(id: string, answer: 'approved' | 'denied', person: string, nowMs: number): Answered {
    const approval = this.#byId.get(id)
    if (!approval) return { kind: 'unknown' }
    const { state, requester, digest, expiresAt } = approval
    if (state.kind !== 'pending') return { kind: 'already-answered', answer: state.kind === 'denied' ? 'denied' : 'approved', person: state.person }
    if (expiresAt <= nowMs) return { kind: 'expired' }
    if (isRequester(person, requester)) return { kind: 'own-request' }
    this.#put({ ...approval, state: { kind: answer, person } })
    return { kind: 'answered', digest, requester, expiresAt }
  }

  /** Uses an approval up. False, and nothing happens, unless it is approved and not over. */
  consume(id: string, nowMs: number): boolean {
    const approval = this.#byId.get(id)
    if (approval?.state.kind !== 'approved' || approval.expiresAt <= nowMs) return false
    this.#put({ ...approval, state: { kind: 'used', person: approval.state.person } })
    return true
  }

  /** Everything that is not over, oldest first. */
  list(nowMs: number): readonly Approval[] {
    return [...this.#byId.values()].filter(({ expiresAt }) => expiresAt > nowMs)
  }

  /** Everything, for `restore`. */
  dump(): readonly Approval[] {
    return [...this.#byId.values()]
  }

  /** Takes over what `dump` gave, into an empty one. */
  restore(dumped: readonly Approval[]): void {
    for (const approval of dumped) this.#put(approval)
  }

  #sweep(nowMs: number): void {
    for (const approval of this.#byId.values()) if (approval.expiresAt <= nowMs) this.#forget(approval)
  }

  #put(approval: Approval): void {
    const key = callKey(approval.requester, approval.digest)
    this.#byId.set(approval.id, approval)
    if (approval.state.kind === 'used') this.#byCall.delete(key)
    else this.#byCall.set(key, approval)
  }

  #forget(approval: Approval): void {
    const key = callKey(approval.requester, approval.digest)
    this.#byId.delete(approval.id)
    if (this.#byCall.get(key)?.id === approval.id) this.#byCall.delete(key)
  }
}

/** An agent that got at the operator's socket would give its own name; a person's name never is one. */
function isRequester(person: string, { tenant, agent }: Requester): boolean {
  const name = person.normalize('NFKC').trim().toLowerCase()
  if (name === agent || name === `${tenant}/${agent}`) return true
  const identity = parseSpiffeId(name)
  return identity?.tenant === tenant && identity.agent === agent
}

function callKey({ tenant, agent }: Requester, digest: CallDigest): string {
  return `${tenant}/${agent}/${digest}`
}
