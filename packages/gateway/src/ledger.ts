import type { KeyObject } from 'node:crypto'
import { Fault, unreachable, type AdminEvent, type ApprovalEvent, type GatewayEvent, type Problem } from '@sallyport/contract'
import type { AccessRequest } from './access/access-request.ts'
import { decisionEntry, entryTime, outcomeEntry } from './audit/entries.ts'
import type { Log } from './audit/log.ts'
import type { OutcomeFacts } from './audit/outcome.ts'
import { receiptFor, type Receipt } from './audit/receipt.ts'
import { RefusalTally, type RefusalSeen } from './audit/refusal-tally.ts'
import { callDigest } from './policy/call-digest.ts'
import { decide } from './policy/decide.ts'
import type { Hold } from './policy/decision.ts'
import type { PolicySnapshot } from './policy/snapshot.ts'
import type { PolicyState } from './policy/state.ts'

export type Verdict =
  | { readonly kind: 'deny'; readonly problem: Problem }
  | { readonly kind: 'hold'; readonly problem: Problem }
  | { readonly kind: 'permit'; readonly receipt: Receipt }

/** What a person must see before they answer. */
export interface HeldCall {
  readonly caller: string
  readonly upstream: string
  readonly action: string
  readonly resource: string
  readonly args: AccessRequest['args']
  readonly rules: readonly string[]
}

/** Keeps held calls, sealed, beside the log: their arguments are nobody else's business. */
export interface HeldCalls {
  /** Durable when it resolves. @throws Fault */
  keep(approval: string, call: HeldCall, expiresAt: number): Promise<void>
}

export interface LedgerPorts {
  readonly log: Log
  readonly state: PolicyState
  readonly heldCalls: HeldCalls
  readonly digestKey: KeyObject
  readonly now: () => number
  readonly newApprovalId: () => string
  /** An entry that is not a decision could not be written; the gateway is no longer fit to forward. */
  readonly lost: (fault: unknown) => void
}

/** Decisions waiting for the disk at once; past it, callers are told to come back. */
export const decisionsWaitingMax = 4096

/**
 * The one order of decisions and entries. A decision and its place in the log are taken in the same turn of the event loop, so replaying the log through
 * `PolicyState` gives the state that the next decision sees.
 */
export class Ledger {
  readonly #ports: LedgerPorts
  readonly #refusals = new RefusalTally()
  readonly #unsettled = new Set<Promise<void>>()
  #waiting = 0

  constructor(ports: LedgerPorts) {
    this.#ports = ports
  }

  /** Decides and writes. The entry is durable when this resolves; a decision that cannot be written is a refusal. */
  async decide(snapshot: { readonly revision: string; readonly policy: PolicySnapshot }, request: AccessRequest): Promise<Verdict> {
    if (this.#waiting >= decisionsWaitingMax) return { kind: 'deny', problem: { code: 'edge.overloaded', retryAfterSeconds: 1 } }
    const { log, state, digestKey, now, newApprovalId } = this.#ports
    if (!log.isAvailable) return { kind: 'deny', problem: { code: 'audit.unavailable' } }
    const decidedAt = now()
    const digest = callDigest(digestKey, request)
    const decision = decide(snapshot.policy, state, request, digest, decidedAt, newApprovalId)
    const durable = log.append(decisionEntry(request, decision, digest, snapshot.revision, decidedAt))

    this.#waiting += 1
    try {
      switch (decision.kind) {
        case 'deny':
          await durable
          return { kind: 'deny', problem: decision.problem }
        case 'hold':
          await Promise.all([durable, this.#keep(request, decision)])
          return { kind: 'hold', problem: approvalRequired(decision) }
        case 'permit':
          return { kind: 'permit', receipt: await receiptFor(decision, durable) }
        default:
          return unreachable(decision)
      }
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      return { kind: 'deny', problem: { code: 'audit.unavailable' } }
    } finally {
      this.#waiting -= 1
    }
  }

  /** Writes what became of a forwarded call once its exchange has ended. */
  settle(receipt: Receipt, startedAt: number, finished: Promise<OutcomeFacts>): void {
    this.#track(finished.then((facts) => this.#ports.log.append(outcomeEntry(receipt, facts, startedAt, this.#ports.now()))))
  }

  /** Writes or counts a refusal that no rule made. */
  refuse(seen: RefusalSeen): void {
    const now = this.#ports.now()
    const entries = this.#refusals.closeWindows(now)
    const single = this.#refusals.take(seen, now)
    for (const entry of single ? [...entries, single] : entries) this.#track(this.#ports.log.append(entry))
  }

  /** A person's answer to a held call, durable when it resolves. */
  async answerApproval(
    approval: string,
    answer: ApprovalEvent['answer'],
    person: string,
    note?: string,
  ): Promise<ReturnType<PolicyState['approvals']['answer']>> {
    const { log, state, now } = this.#ports
    const answeredAt = now()
    const result = state.approvals.answer(approval, answer, person, answeredAt)
    if (result.kind === 'answered') {
      await log.append({
        v: 1,
        type: 'approval',
        time: entryTime(answeredAt),
        approval,
        call: result.digest,
        answer,
        person,
        ...(note !== undefined && { note }),
      })
    }
    return result
  }

  /** An act of the operator or of the gateway itself, durable when it resolves: written before the act. @throws Fault */
  async note(act: Omit<AdminEvent, 'v' | 'time'> | Omit<GatewayEvent, 'v' | 'time'>): Promise<number> {
    return this.#ports.log.append({ v: 1, time: entryTime(this.#ports.now()), ...act })
  }

  /** Waits until every outcome known so far is written, and writes the counts of refusals. */
  async finish(): Promise<void> {
    for (const entry of this.#refusals.closeWindows(Number.POSITIVE_INFINITY, this.#ports.now())) this.#track(this.#ports.log.append(entry))
    while (this.#unsettled.size > 0) await Promise.all(this.#unsettled)
  }

  async #keep(request: AccessRequest, hold: Hold): Promise<void> {
    if (!hold.isNew) return
    const { principal, upstream, action, resource, args } = request
    await this.#ports.heldCalls.keep(
      hold.approval.id,
      { caller: principal.id, upstream, action, resource, args, rules: hold.grounds.rules },
      hold.approval.expiresAt,
    )
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.then(
      () => undefined,
      (fault: unknown) => this.#ports.lost(fault),
    )
    this.#unsettled.add(tracked)
    void tracked.finally(() => this.#unsettled.delete(tracked))
  }
}

function approvalRequired(hold: Hold): Problem {
  return {
    code: 'policy.approval-required',
    approval: { id: hold.approval.id, expiresAt: entryTime(hold.approval.expiresAt) },
    detail: 'Repeat the same call after a person has approved it.',
  }
}
