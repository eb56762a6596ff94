import { Fault, refused, type AdminEvent, type DecisionEvent, type Refused } from '@sallyport/contract'
import type { LogView } from '../../audit/log-files.ts'
import type { PayloadSeal } from '../../audit/payload.ts'
import { readRecord } from '../../audit/reader.ts'
import { InOrder } from '../in-order.ts'
import { findUncalledFor } from './compare-with-log.ts'
import { erasedAct, matchErasure, subjectOf, type ErasureOfMany } from './erasure.ts'
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
/** How often what is too old is looked for, and what has failed tried again. */
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
 * From its entry on nobody reads what is erased, whatever then fails: that is tried again at each `retentionEveryMs`.
 *
 * Nothing is read before everything was compared with the log: what it tells to be erased stays so, whatever copy has brought it back.
 */
export class PayloadRegister {
  readonly #ports: PayloadRegisterPorts
  readonly #inOrder = new InOrder()
  readonly #closing = new AbortController()
  readonly #timer: NodeJS.Timeout
  /** Approvals of held calls that are erased, until their arguments are gone. */
  readonly #heldErased = new Set<string>()
  #uncompared: readonly StoredPayload[]
  #compared: Promise<boolean>
  #tidying: Promise<void>

  constructor(ports: PayloadRegisterPorts) {
    this.#ports = ports
    this.#uncompared = ports.store.all()
    this.#compared = this.#compare()
    this.#tidying = this.#tidy()
    this.#timer = setInterval(() => (this.#tidying = this.#tidying.then(() => this.#tidyAgain())), retentionEveryMs).unref()
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

  /** Refuses as `read` does. @throws Fault; what is in the log by then is read no more, and its destruction tried again */
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
      this.#ports.store.withdraw([payload])
      if (event.decision === 'hold' && event.approval !== undefined) this.#heldErased.add(event.approval)
      await destroying(async () => {
        try {
          await this.#forgetHeld() // while the file is there, a start after a crash knows of both
        } finally {
          await this.#ports.store.destroy([payload])
        }
      })
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
      const payloads = this.#ports.store.all().filter(matchErasure(erasure))
      if (isTrial || payloads.length === 0) return { kind: isTrial ? 'trial' : 'erased', erased: 0, left: payloads.length }
      const some = await this.#noteSome(erasure, payloads, person, reason)
      await destroying(() => this.#ports.store.destroy(some))
      return { kind: 'erased', erased: some.length, left: payloads.length - some.length }
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
    await this.#tidying
    await this.#inOrder.run(async () => undefined)
  }

  /** The first of them, whose erasure is in the log when it resolves. */
  async #noteSome(
    erasure: ErasureOfMany,
    payloads: readonly StoredPayload[],
    person: string | undefined,
    reason: string | undefined,
  ): Promise<readonly StoredPayload[]> {
    const some = payloads.slice(0, erasedAtOnceMax)
    await this.#note({ ...subjectOf(erasure), count: some.length, ...(reason !== undefined && { reason }) }, person)
    return some
  }

  /** These, and those that are over. */
  async #forgetHeld(): Promise<void> {
    const approvals = [...this.#heldErased]
    await this.#ports.forgetHeld(approvals)
    for (const approval of approvals) this.#heldErased.delete(approval)
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

  /** True once nobody can read any more what should not be there. Never rejects. */
  async #compare(): Promise<boolean> {
    const { store, view, report } = this.#ports
    try {
      const { payloads, held } = await findUncalledFor(view, this.#uncompared, this.#closing.signal)
      this.#uncompared = []
      store.withdraw(payloads)
      for (const approval of held) this.#heldErased.add(approval)
    } catch (fault) {
      if (!this.#closing.signal.aborted) report('payloads.not-compared', fault)
      return false
    }
    await this.#attempt(() => store.destroy(store.withdrawn()))
    return true
  }

  async #tidyAgain(): Promise<void> {
    const { store } = this.#ports
    await this.#attempt(() => store.destroy(store.withdrawn()))
    if (!(await this.#compared)) this.#compared = this.#compare()
    await this.#tidy()
  }

  /** What is over by now. Never rejects. */
  async #tidy(): Promise<void> {
    await this.#compared
    if (this.#closing.signal.aborted) return
    await this.#attempt(() => this.#eraseOld())
    if (!this.#closing.signal.aborted) await this.#attempt(() => this.#forgetHeld())
  }

  async #eraseOld(): Promise<void> {
    const { store, keepMs, now } = this.#ports
    const kept = keepMs()
    const erasure = { kind: 'many', before: kept === undefined ? 0 : now() - kept } as const
    for (let left = 1; left > 0;) {
      left = await this.#inOrder.run(async () => {
        const payloads = store.all().filter(matchErasure(erasure))
        if (payloads.length === 0 || this.#closing.signal.aborted) return 0
        const some = await this.#noteSome(erasure, payloads, undefined, 'capture.keep')
        await this.#attempt(() => store.destroy(some)) // what is behind one that fails is erased all the same
        return payloads.length - some.length
      })
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (fault) {
      this.#ports.report('payloads.not-erased', fault)
    }
  }
}

/** Of what is in the log already, and read no more. @throws Fault */
async function destroying(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const told = 'the erasure is in the log, but not all of it is done yet, which is tried again every hour and at the next start'
    throw new Fault(`${told}: ${fault.message}`, 'unknown', fault)
  }
}
