import { Fault, refused, type RecordEvent, type RecordsAnswer, type Refused, type RunAnswer, type RuntimeEvent, type SignalEvent } from '@sallyport/contract'
import { entryTime } from './audit/entries.ts'
import { digestOf, runsPerAgentMax, type OpenRun, type RunOwner, type RunState } from './audit/runs/run-state.ts'
import type { WithheldRecord } from './audit/runs/withhold-secrets.ts'

/** How a run must be heard. */
export interface RunTerms {
  readonly heartbeatMs: number
  readonly silentAfterMs: number
}

/** A silent run is waited for so long; then whoever comes back begins another. */
export const silentKeptMs = 86_400_000

/** What a runtime says, from whichever thread heard it. */
export interface HeardFromRun {
  readonly request: string
  readonly caller: { readonly tenant: string; readonly agent: string; readonly certificate: string }
  readonly run: string
  /** Undefined: the run begins. */
  readonly recorded: { readonly first: number; readonly records: readonly WithheldRecord[]; readonly isLast: boolean } | undefined
}

export type RunHeard = Refused | { readonly kind: 'heard'; readonly answer: RunAnswer | RecordsAnswer }

/** What the story asks, on whichever thread the register is. */
export interface RunDoor {
  /**
   * Takes what a runtime says. All that it records is durable when this resolves with an answer; what was taken before is not written again.
   *
   * Refuses `audit.run-unknown`, `audit.records-conflict`, `policy.quota-exhausted`, `edge.overloaded` and `audit.unavailable`. Never rejects.
   */
  hear(heard: HeardFromRun): Promise<RunHeard>
}

export type RunSight = RunOwner & { readonly kind: Extract<SignalEvent['kind'], 'runtime-silent' | 'record-gap' | 'record-conflict'> }

export interface RunPorts {
  /** Changes the state and takes the place of its entry in the same turn. @see Ledger.enter */
  readonly enter: (change: (now: number) => RecordEvent | RuntimeEvent) => Promise<number | undefined>
  readonly now: () => number
  readonly see: (sight: RunSight) => void
}

type Named = Pick<RuntimeEvent, 'caller' | 'run'> & { readonly request?: string }

/** The one place where the runs of runtimes are known: each record has its place in the log, in the order of everything else. Beside the ledger, on its thread. */
export class RunRegister implements RunDoor {
  readonly #state: RunState
  readonly #terms: RunTerms
  readonly #ports: RunPorts

  constructor(state: RunState, terms: RunTerms, ports: RunPorts) {
    this.#state = state
    this.#terms = terms
    this.#ports = ports
    state.hearAll(ports.now())
  }

  async hear(heard: HeardFromRun): Promise<RunHeard> {
    try {
      return await (heard.recorded ? this.#record(heard, heard.recorded) : this.#open(heard))
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      return refused('audit.unavailable', fault.message, { retryAfterSeconds: 1 })
    }
  }

  /** Tells of runs that were not heard for too long. To be called every now and then. */
  sweep(): void {
    const now = this.#ports.now()
    for (const [{ tenant, agent }, run] of this.#state.all()) {
      const silentMs = now - run.heardAtMs
      const named = { caller: { tenant, agent }, run: run.run }
      if (!run.isSilent && silentMs > this.#terms.silentAfterMs) {
        void this.#note(named, 'silent', run.next)
        if (run.isSilent) this.#ports.see({ kind: 'runtime-silent', tenant, agent })
      } else if (run.isSilent && silentMs > silentKeptMs) void this.#note(named, 'dropped', run.next)
    }
  }

  async #open({ request, caller, run: name }: HeardFromRun): Promise<RunHeard> {
    const runs = this.#state.runsOf(caller)
    const known = runs.get(name)
    const answer = { kind: 'heard', answer: { next: 1, heartbeatMs: this.#terms.heartbeatMs } } as const
    if (known) {
      if (known.next !== 1) return conflict('the run is open already and has records')
      known.heardAtMs = this.#ports.now()
      await known.opened
      return answer
    }
    const wait = this.#state.waitFor(caller, 1, this.#ports.now())
    if (wait > 0) return exhausted(wait)
    if (runs.size >= runsPerAgentMax) {
      const oldest = oldestSilent([...runs.values()])
      if (!oldest) return exhausted(this.#terms.silentAfterMs)
      void this.#note({ caller, run: oldest.run, request }, 'dropped', oldest.next)
    } else if (this.#state.isFull) {
      const oldest = oldestSilent([...this.#state.all()].map(([owner, run]) => ({ ...run, owner })))
      if (!oldest) return refused('edge.overloaded', 'too many runs are open', { retryAfterSeconds: 60 })
      void this.#note({ caller: oldest.owner, run: oldest.run }, 'dropped', oldest.next)
    }
    await this.#note({ caller, run: name, request }, 'opened', 1)
    return answer
  }

  async #record({ request, caller, run: name }: HeardFromRun, { first, records, isLast }: NonNullable<HeardFromRun['recorded']>): Promise<RunHeard> {
    const run = this.#state.runsOf(caller).get(name)
    if (!run) return refused('audit.run-unknown', undefined, { detail: 'Open a run, and go on with the number that the answer names.' })
    const now = this.#ports.now()
    run.heardAtMs = now
    const again = repeated(run, first, records)
    if (!again) {
      this.#ports.see({ kind: 'record-conflict', tenant: caller.tenant, agent: caller.agent })
      return conflict(`the next record of the run has number ${run.next}`)
    }
    const missing = Math.max(0, first - run.next)
    const fresh = records.slice(again.length)
    const entries = fresh.length + (missing > 0 ? 1 : 0) + (run.isSilent ? 1 : 0) + (isLast ? 1 : 0)
    const wait = entries === 0 ? 0 : this.#state.waitFor(caller, entries, now)
    if (wait > 0) return exhausted(wait)

    const named = { caller, run: name, request }
    const written: Promise<number>[] = []
    if (run.isSilent) written.push(this.#note(named, 'returned', run.next))
    if (missing > 0) {
      written.push(this.#note(named, 'gap', first, missing))
      this.#ports.see({ kind: 'record-gap', tenant: caller.tenant, agent: caller.agent })
    }
    const indexes = fresh.map((record, at) => {
      const number = first + again.length + at
      return this.#write((time) => ({ v: 1, type: 'record', time: entryTime(time), ...named, number, sequence: this.#state.countOf(caller) + 1, ...record }))
    })
    const { next } = run
    if (isLast) written.push(this.#note(named, 'closed', next))
    await Promise.all([...written, ...indexes])
    return { kind: 'heard', answer: { next, indexes: await Promise.all([...again, ...indexes]) } }
  }

  /** Never rejects unseen: whoever awaits it hears. */
  #note(named: Named, act: RuntimeEvent['act'], next: number, missing?: number): Promise<number> {
    return this.#write((now) => ({ v: 1, type: 'runtime', time: entryTime(now), ...named, act, next, ...(missing !== undefined && { missing }) }))
  }

  #write(make: (now: number) => RecordEvent | RuntimeEvent): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    promise.catch(() => undefined)
    const entering = this.#ports.enter((now) => {
      const event = make(now)
      this.#state.apply(event, promise)
      return event
    })
    entering.then((index) => resolve(index ?? -1), reject)
    return promise
  }
}

/** The entries of those records that the log has already; undefined where it has others, or none that are remembered, under these numbers. */
function repeated({ next, newest }: OpenRun, first: number, records: readonly WithheldRecord[]): readonly Promise<number>[] | undefined {
  const again: Promise<number>[] = []
  const start = next - newest.length
  for (const [at, record] of records.slice(0, Math.max(0, next - first)).entries()) {
    const kept = newest[first + at - start]
    if (kept?.digest !== digestOf(record)) return undefined
    again.push(kept.index)
  }
  return again
}

function oldestSilent<Run extends OpenRun>(runs: readonly Run[]): Run | undefined {
  return runs.filter(({ isSilent }) => isSilent).sort((one, other) => one.heardAtMs - other.heardAtMs)[0]
}

function conflict(reason: string): Refused {
  return refused('audit.records-conflict', reason, { detail: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` })
}

function exhausted(waitMs: number): Refused {
  return refused('policy.quota-exhausted', 'the runs of the agent write too much', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}
