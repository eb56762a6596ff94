import { Fault, refused, type Refused } from '@sallyport/contract'
import type { AccessRequest } from './access/access-request.ts'
import type { OutcomeFacts } from './audit/outcome.ts'
import { payloadOf, type CitedPayload, type Payloads, type PayloadSeal, type SealedPayload } from './audit/payload.ts'
import type { Receipt } from './audit/receipt.ts'
import type { RefusalSeen } from './audit/refusal-tally.ts'
import type { Denied, LedgerDoor, PolicyRevision, Verdict } from './ledger.ts'

export interface CapturePorts {
  readonly seal: PayloadSeal
  readonly payloads: Payloads
  readonly now: () => number
  readonly report: (event: string, fault: unknown) => void
}

/** Sealed bytes of one data plane that may wait for the disk at once; past it, callers are told to come back. */
export const payloadBytesWaitingMax = 67_108_864
/** For arguments to be durable. */
export const payloadKeptMsMax = 5_000

/**
 * Keeps the arguments of calls, as the configuration has it, before the ledger behind it decides: an entry cites only what is durable.
 *
 * A call whose arguments must be kept and cannot be is refused, or whoever wants no trace would only have to fill the disk. What no entry cites in the end is
 * destroyed again.
 */
export class CapturingLedger implements LedgerDoor {
  readonly #ledger: LedgerDoor
  readonly #ports: CapturePorts
  #bytesWaiting = 0

  constructor(ledger: LedgerDoor, ports: CapturePorts) {
    this.#ledger = ledger
    this.#ports = ports
  }

  async decide(snapshot: PolicyRevision, request: AccessRequest): Promise<Verdict> {
    const { capture } = snapshot.policy
    const { principal, upstream, action } = request
    const mode = request.standing === 'call' ? capture.modeFor({ tenant: principal.tenant, agent: principal.agent, upstream, action }) : 'off'
    if (mode === 'off') return this.#ledger.decide(snapshot, request)
    const payload = payloadOf(request, capture.redacting)
    if (payload === undefined) return this.#ledger.decide(snapshot, request)
    const { seal, now } = this.#ports
    if (mode === 'digest') return this.#ledger.decide(snapshot, request, seal.digest(principal.tenant, payload))

    const sealed = seal.seal(request, payload, now())
    const objection = await this.#keep(sealed)
    if (objection) return this.#deny(request, objection)
    const verdict = await this.#ledger.decide(snapshot, request, sealed.cited)
    if (verdict.kind === 'list-first' || (verdict.kind === 'deny' && verdict.isUnwritten)) await this.#drop(sealed.cited)
    return verdict
  }

  settle(receipt: Receipt, startedAt: number, finished: Promise<OutcomeFacts>): void {
    this.#ledger.settle(receipt, startedAt, finished)
  }

  refuse(seen: RefusalSeen): void {
    this.#ledger.refuse(seen)
  }

  /** Undefined once the arguments are durable. */
  async #keep({ cited, ...sealed }: SealedPayload): Promise<Refused | undefined> {
    const { payloads, report } = this.#ports
    const { length } = sealed.bytes
    if (this.#bytesWaiting + length > payloadBytesWaitingMax)
      return refused('edge.overloaded', 'too many arguments wait for the disk', { retryAfterSeconds: 1 })
    this.#bytesWaiting += length
    const keeping = payloads.keep({ cited, ...sealed }).finally(() => (this.#bytesWaiting -= length))
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), payloadKeptMsMax)
    try {
      const kept = await Promise.race([keeping, late])
      if (kept === 'kept') return undefined
      if (kept === 'full') return refused('audit.payloads-full', 'what may be kept of arguments, of this agent or in all, is used up')
      void keeping.then(
        () => this.#drop(cited),
        () => undefined,
      )
      return refused('audit.payload-unavailable', 'the disk did not take the arguments in time')
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      report('payload.not-kept', fault)
      return refused('audit.payload-unavailable', fault.message)
    } finally {
      clearTimeout(timer)
    }
  }

  #deny({ id, principal }: AccessRequest, { problem, reason }: Refused): Denied {
    const { tenant, agent, thumbprint } = principal
    this.#ledger.refuse({ caller: { certificate: thumbprint, tenant, agent }, code: problem.code, reason, request: id })
    return { kind: 'deny', problem }
  }

  /** What cannot be destroyed now is when the gateway starts again, since no entry cites it. */
  async #drop({ digest }: CitedPayload): Promise<void> {
    await this.#ports.payloads.drop(digest).catch((fault: unknown) => this.#ports.report('payload.not-dropped', fault))
  }
}
