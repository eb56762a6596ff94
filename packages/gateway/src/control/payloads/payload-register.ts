import { refused, type AdminEvent, type DecisionEvent, type Refused } from '@sallyport/contract'
import type { LogView } from '../../audit/log-files.ts'
import type { PayloadSeal } from '../../audit/payload.ts'
import { readRecord } from '../../audit/reader.ts'
import { InOrder } from '../in-order.ts'
import { findUncalledFor } from './compare-with-log.ts'
import { erasedAct, isErasedBy, subjectOf, type ErasureOfMany } from './erasure.ts'
import type { StoredPayload } from './payload-files.ts'
import type { PayloadStore } from './payload-store.ts'

export interface PayloadRegisterPorts {
  readonly store: PayloadStore
  readonly seal: PayloadSeal
  readonly view: LogView
  /** Writes to the log, durably when it resolves. @throws Fault */
  readonly note: (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<unknown>
  /** Held calls hold their arguments too: these are gone, and all that are over, when it resolves. @throws Fault */
  readonly forgetHeld: (approvals: readonly string[]) => Promise<void>
  /** Milliseconds after which payloads are erased; asked anew each time. */
  readonly keepMs: () => number | undefined
  readonly now: () => number
  readonly report: (event: string, fault: unknown) => void
}

/** Erased in one act: each is overwritten on the disk. */
export const erasedAtOnceMax = 1000
/** How often what is too old is looked for. */
export const retentionEveryMs = 3_600_000
/** For the payloads to be compared with the log after a start, before whoever asks for one is told to come back. */
export const comparedMsMax = 20_000

/** Who asked for what, as they asked it. */
export interface PayloadRead {
  readonly kind: 'payload'
  readonly entry: number
  readonly time: string
  readonly request: string
  readonly tenant: string
  readonly agent: string
  readonly payload: unknown
}

interface Found {
  readonly kind: 'found'
  readonly event: DecisionEvent
  readonly payload: StoredPayload
}

/**
 * What an operator does with payloads, and what time does. Each act is in the log before it is done, so a crash in between is made good at the next start.
 *
 * Nothing is read before everything was compared with the log: what it tells to be erased stays so, whatever copy has brought it back.
 */
export class PayloadRegister {
  readonly #ports: PayloadRegisterPorts
  readonly #inOrder = new InOrder()
  readonly #closing = new AbortController()
  readonly #compared: Promise<boolean>
  readonly #timer: NodeJS.Timeout
  #erasing: Promise<void> = Promise.resolve()

  constructor(ports: PayloadRegisterPorts) {
    this.#ports = ports
    this.#compared = this.#compare([...ports.store.all()])
    this.#timer = setInterval(() => (this.#erasing = this.#eraseOld()), retentionEveryMs).unref()
  }

  /** Refuses `control.not-found` for an entry without a payload, `control.conflict` for one that is gone. @throws Fault when it was altered, or cannot be read */
  async read(entry: number, person: string): Promise<Refused | PayloadRead> {
    return this.#inOrder.run(async () => {
      const found = await this.#find(entry)
      if (found.kind === 'refused') return found
      const { store, seal, note } = this.#ports
      const { event, payload } = found
      await note({ type: 'admin', act: 'payload.read', person, subject: { entry, digest: payload.digest } })
      const { request, caller, time } = event
      const text = seal.open({ request, digest: payload.digest }, await store.read(payload))
      return { kind: 'payload', entry, time, request, tenant: caller.tenant, agent: caller.agent, payload: JSON.parse(text) }
    })
  }

  /** Refuses as `read` does. @throws Fault; what is in the log by then is erased when the gateway starts again */
  async erase(
    entry: number,
    person: string,
    { reason, isTrial }: { readonly reason?: string | undefined; readonly isTrial: boolean },
  ): Promise<Refused | { readonly kind: 'erased' | 'trial'; readonly entry: number; readonly erased: number; readonly left: number }> {
    return this.#inOrder.run(async () => {
      const found = await this.#find(entry)
      if (found.kind === 'refused') return found
      if (isTrial) return { kind: 'trial', entry, erased: 0, left: 1 }
      const { payload, event } = found
      await this.#note({ ...subjectOf({ kind: 'one', entry, digest: payload.digest }), ...(reason !== undefined && { reason }) }, person)
      await this.#ports.forgetHeld(event.decision === 'hold' && event.approval !== undefined ? [event.approval] : [])
      await this.#ports.store.destroy([payload])
      return { kind: 'erased', entry, erased: 1, left: 0 }
    })
  }

  /** At most `erasedAtOnceMax` of them; `left` says how many remain. @throws Fault as `erase` does */
  async eraseMany(
    erasure: ErasureOfMany,
    person: string,
    { reason, isTrial }: { readonly reason?: string | undefined; readonly isTrial: boolean },
  ): Promise<Refused | { readonly kind: 'erased' | 'trial'; readonly erased: number; readonly left: number }> {
    if (erasure.before > this.#ports.now())
      return refused('control.invalid-input', undefined, { detail: 'Nothing can be erased that is yet to come: name a time that is past.' })
    return this.#inOrder.run(async () => {
      const payloads = [...this.#ports.store.all()].filter((payload) => isErasedBy(erasure, payload))
      if (isTrial || payloads.length === 0) return { kind: isTrial ? 'trial' : 'erased', erased: 0, left: payloads.length }
      return { kind: 'erased', ...(await this.#destroySome(erasure, payloads, person, reason)) }
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
    await this.#compared
    await this.#erasing
    await this.#inOrder.run(async () => undefined)
  }

  async #destroySome(
    erasure: ErasureOfMany,
    payloads: readonly StoredPayload[],
    person: string | undefined,
    reason: string | undefined,
  ): Promise<{ readonly erased: number; readonly left: number }> {
    const some = payloads.slice(0, erasedAtOnceMax)
    await this.#note({ ...subjectOf(erasure), count: some.length, ...(reason !== undefined && { reason }) }, person)
    await this.#ports.store.destroy(some)
    return { erased: some.length, left: payloads.length - some.length }
  }

  async #note(subject: AdminEvent['subject'], person: string | undefined): Promise<void> {
    await this.#ports.note({ type: 'admin', act: erasedAct, ...(person !== undefined && { person }), subject })
  }

  async #find(entry: number): Promise<Refused | Found> {
    if (!(await this.#isCompared()))
      return refused('control.conflict', undefined, { detail: 'What is kept is not yet compared with the log: ask again when the log has been read.' })
    const record = await readRecord(this.#ports.view, entry)
    if (!record) return refused('control.not-found', undefined, { detail: `The log has no entry ${entry}.` })
    const { event } = record
    if (event.type !== 'decision' || event.payload?.capture !== 'sealed')
      return refused('control.not-found', undefined, { detail: `Of entry ${entry} no arguments were kept.` })
    const payload = this.#ports.store.find(event.payload.digest)
    if (payload) return { kind: 'found', event, payload }
    return refused('control.conflict', undefined, {
      detail: `The arguments of entry ${entry} are gone: "sallyport log search --act ${erasedAct}" says who erased what.`,
    })
  }

  async #isCompared(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>()
    const timer = setTimeout(() => resolve(false), comparedMsMax)
    try {
      return await Promise.race([this.#compared, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** True once what should not be there is destroyed. Never rejects. */
  async #compare(stored: readonly StoredPayload[]): Promise<boolean> {
    const { store, view, report } = this.#ports
    try {
      await store.destroy(await findUncalledFor(view, stored, this.#closing.signal))
    } catch (fault) {
      if (!this.#closing.signal.aborted) report('payloads.not-compared', fault)
      return false
    }
    this.#erasing = this.#eraseOld()
    return true
  }

  /** Whatever is over by now. Never rejects. */
  async #eraseOld(): Promise<void> {
    const { store, keepMs, forgetHeld, now, report } = this.#ports
    const kept = keepMs()
    const erasure = { kind: 'many', before: kept === undefined ? 0 : now() - kept } as const
    try {
      for (let left = 1; left > 0;) {
        left = await this.#inOrder.run(async () => {
          const payloads = [...store.all()].filter((payload) => isErasedBy(erasure, payload))
          if (payloads.length === 0 || this.#closing.signal.aborted) return 0
          return (await this.#destroySome(erasure, payloads, undefined, 'capture.keep')).left
        })
      }
      if (!this.#closing.signal.aborted) await forgetHeld([])
    } catch (fault) {
      report('payloads.not-erased', fault)
    }
  }
}
