import { Fault, type Problem } from '@sallyport/contract'
import type { KeyObject } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import type { AccessRequest } from '../access/access-request.ts'
import type { OutcomeFacts } from '../audit/outcome.ts'
import type { CitedPayload } from '../audit/payload.ts'
import { receiptFor, type Receipt } from '../audit/receipt.ts'
import { refusalEntry, RefusalTally, type RefusalSeen } from '../audit/refusal-tally.ts'
import { askedOf, decisionsWaitingMax, refusalsWrittenSinglyMax, type LedgerDoor, type PolicyRevision, type Verdict } from '../ledger.ts'
import { permit } from '../policy/decision.ts'
import { Batch, type FromLedger, type ToLedger } from './ledger-messages.ts'
import { RemoteRuns } from './remote-runs.ts'
import { RemoteToolSight } from './remote-tool-sight.ts'

export interface RemoteLedgerTerms {
  readonly digestKey: KeyObject
  readonly now: () => number
}

interface Waiting {
  readonly request: AccessRequest
  readonly resolve: (verdict: Verdict) => void
}

/**
 * The ledger, from a data-plane thread. What it permits is durable on the ledger's thread before it hears of it.
 *
 * While the ledger's thread is gone, everything is refused as `audit.unavailable`. Outcomes that the lost thread may not have written are told to the next one
 * again, which knows those that it has.
 */
export class RemoteLedger implements LedgerDoor {
  readonly #terms: RemoteLedgerTerms
  readonly #tally = new RefusalTally(refusalsWrittenSinglyMax)
  readonly #waiting = new Map<number, Waiting>()
  readonly #flushing = new Map<number, () => void>()
  readonly tools = new RemoteToolSight(() => this.#nextId++)
  readonly runs = new RemoteRuns(() => this.#nextId++)
  /** Permits that were received and whose outcome is not known to be written, by index; with the outcome once it is known. */
  readonly #open = new Map<number, Extract<ToLedger, { kind: 'conclude' }> | undefined>()
  #port: MessagePort | undefined
  #batch: Batch<ToLedger> | undefined
  #nextId = 1

  constructor(terms: RemoteLedgerTerms) {
    this.#terms = terms
  }

  /** Permits that this thread will tell the outcome of. */
  get held(): readonly number[] {
    return [...this.#open.keys()]
  }

  /** From now on the ledger is behind this port. */
  attach(port: MessagePort): void {
    this.#port = port
    const batch = new Batch<ToLedger>((messages) => port.postMessage(messages))
    this.#batch = batch
    this.tools.attach((message) => batch.add(message))
    this.runs.attach((message) => batch.add(message))
    port.on('message', (messages: readonly FromLedger[]) => {
      for (const message of messages) this.#hear(message)
    })
    port.on('close', () => this.#lose(port))
    for (const outcome of this.#open.values()) if (outcome) this.#batch.add(outcome)
  }

  async decide({ revision }: PolicyRevision, request: AccessRequest, payload?: CitedPayload): Promise<Verdict> {
    if (!this.#batch) return { ...unavailable, isUnwritten: true }
    if (this.#waiting.size >= decisionsWaitingMax) return { kind: 'deny', problem: { code: 'edge.overloaded', retryAfterSeconds: 1 }, isUnwritten: true }
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<Verdict>()
    this.#waiting.set(id, { request, resolve })
    this.#batch.add({ kind: 'ask', id, revision, asked: askedOf(this.#terms.digestKey, request, payload) })
    return promise
  }

  settle({ request, index }: Receipt, startedAt: number, finished: Promise<OutcomeFacts>): void {
    void finished.then((facts) => {
      const outcome = { kind: 'conclude', permit: { request: request.id, index }, facts, startedAt } as const
      this.#open.set(index, outcome)
      this.#batch?.add(outcome)
    })
  }

  refuse(seen: RefusalSeen): void {
    const now = this.#terms.now()
    if (this.#tally.isSingle(seen, now)) this.#batch?.add({ kind: 'record', entry: refusalEntry(seen, now) })
  }

  /** Tells the counts of refusals whose time is over, and forgets the outcomes that are written. To be called every few seconds. */
  async writeCounts(until: number = this.#terms.now()): Promise<void> {
    for (const entry of this.#tally.closeWindows(until, this.#terms.now())) this.#batch?.add({ kind: 'record', entry })
    const told = [...this.#open].filter(([, outcome]) => outcome !== undefined)
    await this.#flush()
    if (this.#batch) for (const [index] of told) this.#open.delete(index)
  }

  /** Resolves when every exchange of this thread has its entry, or the ledger is gone. */
  async finish(): Promise<void> {
    while (this.#batch && [...this.#open.values()].some((outcome) => outcome === undefined)) await nextTurn()
    await this.writeCounts(Number.POSITIVE_INFINITY)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    if (!batch) return
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#flushing.set(id, resolve)
    batch.add({ kind: 'flush', id })
    await promise
  }

  #hear(message: FromLedger): void {
    if (message.kind === 'flushed') {
      this.#flushing.get(message.id)?.()
      this.#flushing.delete(message.id)
      return
    }
    if (message.kind === 'looked' || message.kind === 'saw' || message.kind === 'not-seen' || message.kind === 'announced') return this.tools.hear(message)
    if (message.kind === 'run-heard') return this.runs.answer(message)
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (!waiting) throw new Fault('the ledger answered what nobody asked', 'unknown')
    if (message.kind === 'list-first') return waiting.resolve({ kind: 'list-first' })
    if (message.kind === 'refused') return waiting.resolve(message.verdict)
    this.#open.set(message.index, undefined)
    waiting.resolve({ kind: 'permit', receipt: receiptFor(waiting.request, permit(message.grounds, message.approval), message.index) })
  }

  /** What was permitted without an answer having come is not forwarded: the next ledger finds it in the log and gives it up. */
  #lose(port: MessagePort): void {
    if (this.#port !== port) return
    this.#port = undefined
    this.#batch = undefined
    this.tools.detach()
    this.runs.detach()
    for (const { resolve } of this.#waiting.values()) resolve(unavailable)
    this.#waiting.clear()
    for (const resolve of this.#flushing.values()) resolve()
    this.#flushing.clear()
  }
}

const unavailable = { kind: 'deny', problem: { code: 'audit.unavailable' } satisfies Problem } as const

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
