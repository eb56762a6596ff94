import type { KeyObject } from 'node:crypto'
import {
  Fault,
  unreachable,
  type AdminEvent,
  type ApprovalEvent,
  type GatewayEvent,
  type JsonObject,
  type LogEvent,
  type Problem,
  type SessionEvent,
  type SignalEvent,
} from '@sallyport/contract'
import type { AccessRequest } from './access/access-request.ts'
import { decisionEntry, entryTime, outcomeEntry, type OpenPermit } from './audit/entries.ts'
import type { Log } from './audit/log.ts'
import type { OutcomeFacts } from './audit/outcome.ts'
import type { CitedPayload } from './audit/payload.ts'
import { receiptFor, type Receipt } from './audit/receipt.ts'
import { refusalEntry, RefusalTally, type RefusalKind, type RefusalSeen } from './audit/refusal-tally.ts'
import { decide } from './policy/decide.ts'
import type { CallDigest, Denial, Hold, Permit } from './policy/decision.ts'
import { callDigest, exactCall } from './policy/exact-call.ts'
import { mustListFirst } from './policy/objection-to-tool.ts'
import { questionOf, type Question } from './policy/question.ts'
import type { PolicySnapshot } from './policy/snapshot.ts'
import type { PolicyState } from './policy/state.ts'
import { settledUse } from './policy/token-use.ts'

export type Verdict = Denied | { readonly kind: 'hold'; readonly problem: Problem } | { readonly kind: 'permit'; readonly receipt: Receipt } | ListFirst

export interface Denied {
  readonly kind: 'deny'
  readonly problem: Problem
  /** It is certain that the log has no entry of this call, and that none is under way. */
  readonly isUnwritten?: true
}

/** Nothing was decided or written: the tools of the upstream are not known as they are now, and must be listed before this is asked again. */
export interface ListFirst {
  readonly kind: 'list-first'
}

/** What the story asks of the ledger, on whichever thread that runs. */
export interface LedgerDoor {
  /**
   * Decides and writes. The entry is durable when this resolves; a decision that cannot be written is a refusal. Of denials of one kind, which change no state,
   * those after the first few are counted. Never rejects.
   *
   * @param payload what was kept of the arguments, durable already, for the entry to cite
   */
  decide(snapshot: PolicyRevision, request: AccessRequest, payload?: CitedPayload): Promise<Verdict>
  /** Once its exchange has ended, settles what a forwarded call has reserved and writes what became of it; called once for each receipt. */
  settle(receipt: Receipt, startedAt: number, finished: Promise<OutcomeFacts>): void
  /** Writes or counts a refusal that no rule made. */
  refuse(seen: RefusalSeen): void
}

export interface PolicyRevision {
  readonly revision: string
  readonly policy: PolicySnapshot
}

/** A call as the ledger gets it. */
export interface Asked {
  readonly question: Question
  readonly exact: JsonObject
  readonly digest: CallDigest
  readonly payload?: CitedPayload
}

export function askedOf(digestKey: KeyObject, request: AccessRequest, payload?: CitedPayload): Asked {
  const exact = exactCall(request)
  return { question: questionOf(request), exact, digest: callDigest(digestKey, exact), ...(payload && { payload }) }
}

export type Judged =
  | Denied
  | { readonly kind: 'hold'; readonly problem: Problem }
  /** The entry at `index` is durable. */
  | { readonly kind: 'permit'; readonly permit: Permit; readonly index: number }
  | ListFirst

/** What a person must see before they answer: the exact call, as the approval will be bound to it, and the rules that ask. */
export interface HeldCall {
  readonly exact: JsonObject
  readonly rules: readonly string[]
}

/** Keeps held calls, sealed, beside the log: their arguments are nobody else's business. */
export interface HeldCalls {
  /** Durable when it resolves; keeping a call again changes nothing. @throws Fault */
  keep(approval: string, call: HeldCall, expiresAt: number): Promise<void>
}

/** What an operator can read of held calls. */
export interface HeldCallsView {
  /** Undefined when it is not kept any more. @throws Fault when its record was altered */
  find(approval: string): Promise<HeldCall | undefined>
}

export interface LedgerPorts {
  readonly log: Log
  readonly state: PolicyState
  readonly heldCalls: HeldCalls
  readonly digestKey: KeyObject
  readonly now: () => number
  readonly newApprovalId: () => string
  /** An entry could not be written; from then on nothing is permitted. */
  readonly lost: (fault: unknown) => void
}

/** Decisions waiting for the disk at once; past it, callers are told to come back. */
export const decisionsWaitingMax = 4096
/** Refusals of one kind in a minute that get entries of their own: those that no rule made, and those that rules or quotas made. */
export const refusalsWrittenSinglyMax = 3
export const denialsWrittenSinglyMax = 20
/** Unanswered permits that one entry names. */
export const unansweredNamedMax = 1000

/**
 * The one order of decisions and entries. A decision and its place in the log are taken in the same turn of the event loop, so replaying the log through
 * `PolicyState` gives the state that the next decision sees.
 */
export class Ledger implements LedgerDoor {
  readonly #ports: LedgerPorts
  readonly #refusals = new RefusalTally(refusalsWrittenSinglyMax)
  readonly #denials = new RefusalTally(denialsWrittenSinglyMax)
  /** Permits without an outcome: the id of the request, by index. */
  readonly #open: Map<number, string>
  #waiting = 0
  /** Decisions, exchanges and entries that are not finished. */
  #inHand: number
  #whenIdle: (() => void) | undefined
  #isFinishing = false
  #hasDiverged = false

  /** `open`: the permits that the log holds without an outcome; `begin` says what becomes of them. */
  constructor(ports: LedgerPorts, open: ReadonlyMap<number, string> = new Map()) {
    this.#ports = ports
    this.#open = new Map(open)
    this.#inHand = this.#open.size
  }

  async decide(snapshot: PolicyRevision, request: AccessRequest, payload?: CitedPayload): Promise<Verdict> {
    const objection = this.#objection()
    if (objection) return { kind: 'deny', problem: objection, isUnwritten: true }
    const judged = await this.judge(snapshot, askedOf(this.#ports.digestKey, request, payload))
    return judged.kind === 'permit' ? { kind: 'permit', receipt: receiptFor(request, judged.permit, judged.index) } : judged
  }

  /** `decide` without the proof at its end, which cannot leave its thread. A permit is to be concluded. */
  async judge({ revision, policy }: PolicyRevision, { question, exact, digest, payload }: Asked): Promise<Judged> {
    // Before anything is decided: a decision changes the state, so its entry must find room.
    const objection = this.#objection()
    if (objection) return { kind: 'deny', problem: objection, isUnwritten: true }
    const { state, now, newApprovalId } = this.#ports
    if (mustListFirst(policy, state.tools, question)) return { kind: 'list-first' }
    const decidedAt = now()
    const decision = decide(policy, state, question, digest, decidedAt, newApprovalId)
    if (decision.kind === 'deny' && !this.#denials.isSingle(kindOf(question, decision), decidedAt))
      return { kind: 'deny', problem: decision.problem, isUnwritten: true }
    const facts = policy.capture.factsToTell(decision.grounds.facts)
    const durable = this.#append(decisionEntry(question, decision, digest, revision, decidedAt, { payload, facts }))

    this.#waiting += 1
    this.#begin()
    let isOpen = false
    try {
      switch (decision.kind) {
        case 'deny':
          await durable
          return { kind: 'deny', problem: decision.problem }
        case 'hold':
          await Promise.all([durable, this.#keep(exact, decision)])
          return { kind: 'hold', problem: approvalRequired(decision) }
        case 'permit': {
          const index = await durable
          this.#open.set(index, question.id)
          isOpen = true
          return { kind: 'permit', permit: decision, index }
        }
        default:
          return unreachable(decision)
      }
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      return { kind: 'deny', problem: { code: 'audit.unavailable' } }
    } finally {
      this.#waiting -= 1
      if (!isOpen) this.#end() // otherwise `conclude` does
    }
  }

  settle({ request, index }: Receipt, startedAt: number, finished: Promise<OutcomeFacts>): void {
    void finished.then((facts) => this.conclude({ request: request.id, index }, facts, startedAt))
  }

  /** Settles what the call has reserved and writes its outcome, in the same turn. What is concluded already stays as it is. Never rejects. */
  async conclude(permit: OpenPermit, facts: OutcomeFacts, startedAt: number): Promise<void> {
    if (!this.#open.delete(permit.index)) return
    const { log, state, now } = this.#ports
    const settledAt = now()
    const entry = outcomeEntry(permit, facts, startedAt, settledAt)
    state.quotas.settle(entry.request, settledUse(entry), settledAt)
    try {
      await log.append(entry)
    } catch (fault) {
      this.#part(fault)
    } finally {
      this.#end()
    }
  }

  refuse(seen: RefusalSeen): void {
    const now = this.#ports.now()
    if (this.#refusals.isSingle(seen, now)) void this.record(refusalEntry(seen, now))
  }

  /** Writes the counts of refusals whose time is over; to be called every few seconds. */
  writeCounts(): void {
    this.#writeCounts(this.#ports.now())
  }

  /** A person's answer to a held call, durable when it resolves. */
  async answerApproval(
    approval: string,
    answer: ApprovalEvent['answer'],
    person: string,
    note?: string,
  ): Promise<ReturnType<PolicyState['approvals']['answer']>> {
    const { log, state, now } = this.#ports
    if (!this.isFit || !log.hasRoom) throw new Fault('the log cannot take the answer now', 'not-done')
    const answeredAt = now()
    const result = state.approvals.answer(approval, answer, person, answeredAt)
    if (result.kind === 'answered') {
      await this.#append({
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

  /**
   * Changes the state and takes the place of its entry in the same turn, which is that of the call; durable when it resolves, with the index. `change` gives no entry where
   * it has nothing to change, and is not asked when its entry would find no room.
   *
   * @throws Fault
   */
  async enter(change: (now: number) => LogEvent | undefined): Promise<number | undefined> {
    const { log, now } = this.#ports
    if (!this.isFit || !log.hasRoom) throw new Fault('the log cannot take the entry now', 'not-done')
    const entry = change(now())
    return entry && this.#append(entry)
  }

  /** An act of the operator, of a session or of the gateway itself, durable when it resolves with its index: written before the act. @throws Fault */
  async note(
    act: Omit<AdminEvent, 'v' | 'time'> | Omit<SessionEvent, 'v' | 'time'> | Omit<SignalEvent, 'v' | 'time'> | Omit<GatewayEvent, 'v' | 'time'>,
  ): Promise<number> {
    const { log, now } = this.#ports
    return log.append({ v: 1, time: entryTime(now()), ...act })
  }

  /**
   * The gateway, or a part of it, starts anew: of the permits that are open, all but those `held` elsewhere will never have an outcome. Their reserves count as
   * used, and their indexes (of many, the first) stand in the entry. @throws Fault
   */
  async begin(act: Pick<GatewayEvent, 'act' | 'version' | 'revision'>, held: ReadonlySet<number> = new Set()): Promise<void> {
    await this.giveUp(
      [...this.#open.keys()].filter((index) => !held.has(index)),
      act,
    )
  }

  /** Notes that these permits have lost whoever would have told their outcome. @throws Fault */
  async giveUp(indexes: readonly number[], act: Pick<GatewayEvent, 'act' | 'version' | 'revision'>): Promise<void> {
    const { state, now } = this.#ports
    const lost = indexes.filter((index) => this.#open.has(index))
    for (const index of lost) {
      state.quotas.settle(this.#open.get(index) ?? '', { tokens: undefined, cost: undefined }, now())
      this.#open.delete(index)
      this.#end()
    }
    await this.note({ type: 'gateway', ...act, ...(lost.length > 0 && { unanswered: lost.slice(0, unansweredNamedMax) }) })
  }

  /** Decides nothing any more, writes the counts of refusals, and resolves when every decision and every exchange has its entry. */
  async finish(): Promise<void> {
    this.#isFinishing = true
    this.#writeCounts(Number.POSITIVE_INFINITY)
    while (this.#inHand > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
  }

  #objection(): Problem | undefined {
    if (this.#isFinishing) return { code: 'edge.draining', retryAfterSeconds: 1 }
    if (!this.isFit) return { code: 'audit.unavailable' }
    if (this.#waiting >= decisionsWaitingMax || !this.#ports.log.hasRoom) return { code: 'edge.overloaded', retryAfterSeconds: 1 }
    return undefined
  }

  /** False for good once an entry could not be written: then nothing is permitted until the log is opened anew. */
  get isFit(): boolean {
    return this.#ports.log.isAvailable && !this.#hasDiverged
  }

  /** Also for a call that waits already: the first time may have failed. */
  async #keep(exact: JsonObject, { approval, grounds }: Hold): Promise<void> {
    await this.#ports.heldCalls.keep(approval.id, { exact, rules: grounds.rules }, approval.expiresAt)
  }

  /** Appends an entry whose change of the state is made: if the log is whole but did not take it, the two have parted. */
  async #append(entry: LogEvent): Promise<number> {
    try {
      return await this.#ports.log.append(entry)
    } catch (fault) {
      this.#part(fault)
      throw fault
    }
  }

  #part(fault: unknown): void {
    if (this.#ports.log.isAvailable) this.#hasDiverged = true
    this.#ports.lost(fault)
  }

  #writeCounts(until: number): void {
    for (const tally of [this.#refusals, this.#denials]) for (const count of tally.closeWindows(until, this.#ports.now())) void this.record(count)
  }

  /** Writes an entry that no caller waits for. Never rejects. */
  async record(entry: LogEvent): Promise<void> {
    this.#begin()
    try {
      await this.#ports.log.append(entry)
    } catch (fault) {
      this.#ports.lost(fault)
    } finally {
      this.#end()
    }
  }

  #begin(): void {
    this.#inHand += 1
  }

  #end(): void {
    this.#inHand -= 1
    if (this.#inHand === 0) this.#whenIdle?.()
  }
}

function kindOf({ principal, upstream }: Question, { problem }: Denial): RefusalKind {
  return { caller: { certificate: principal.thumbprint, tenant: principal.tenant, agent: principal.agent }, upstream, code: problem.code }
}

function approvalRequired(hold: Hold): Problem {
  return {
    code: 'policy.approval-required',
    approval: { id: hold.approval.id, expiresAt: entryTime(hold.approval.expiresAt) },
    detail: 'Repeat the same call after a person has approved it.',
  }
}
