import { Fault, recordLimits, refused, type LoggingConfiguration, type ProblemDocument, type Refused, type RuntimeRecord } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { Send } from '../link/ask-gateway.ts'
import { openRun, sendRecords } from './run-calls.ts'
import { recordOf, type RuntimeHappening } from './runtime-event.ts'

export const channelLimits = {
  firstRetryMs: 250,
  retryMsMax: 5_000,
  /** For what waits to arrive, and the word that the run has ended. */
  closeMsMax: 3_000,
  /** An answer of the gateway that is older proves nothing. */
  provenMsMax: 1_000,
} as const

export type Recorded = Refused | { readonly kind: 'recorded'; /** Of the entry in the log of the gateway. */ readonly index: number }

/** Why nothing can be recorded now: what the gateway said, or what failed. */
export type ChannelTrouble = ProblemDocument | Fault

/** The way of a runtime's records into the log of the gateway. Nothing of them is written on this host. */
export interface RecordChannel {
  /**
   * Resolves with `recorded` only when the record is durable in the log of the gateway. Do what must be recorded after that, and not at all after a refusal.
   *
   * Refuses `connect.not-recorded`: while the channel is down (it does not wait for it), when as many records as memory may hold wait already, when the record did not
   * become durable in time (it still may), and for one that is too large. Never rejects but for a bug.
   */
  record(happening: RuntimeHappening): Promise<Recorded>
  /** Records what is no reason to hold anything up. Where there is no room it is left out, and how many were is recorded later. */
  note(happening: RuntimeHappening): void
  /**
   * Resolves with undefined when the gateway has answered within the last `provenMsMax`, if need be a heartbeat that is sent for it: then what must be recorded can be. Refuses
   * `connect.not-recorded`, while the channel is down at once.
   */
  ready(): Promise<Refused | undefined>
  /** Brings what waits, within `closeMsMax`, signs off, and ends. */
  close(): Promise<void>
}

export interface ChannelTerms extends Pick<LoggingConfiguration, 'memory_records' | 'flush_ms' | 'record_within_ms'> {
  readonly send: Send
  readonly clock: Clock
  /** A fresh UUID. */
  readonly newRun: () => string
  /** The first of a row of failures. */
  readonly report: (trouble: ChannelTrouble) => void
}

interface Waiting {
  readonly record: RuntimeRecord
  readonly settle: (recorded: Recorded) => void
}

interface Run {
  readonly id: string
  readonly heartbeatMs: number
  next: number
}

/** Opens the channel; it tries for as long as it runs. */
export function openChannel(terms: ChannelTerms): RecordChannel {
  const { send, clock, newRun, report } = terms
  const ending = new AbortController()
  let queue: Waiting[] = []
  /** On their way. After a failure the same is sent again under the same numbers: whether it arrived is not known. */
  let flight: readonly Waiting[] = []
  let run: Run | undefined
  let runId = newRun()
  let trouble: ChannelTrouble | undefined
  let heardAtMs = Number.NEGATIVE_INFINITY
  /** Whoever waits for the next answer, or for its failure. */
  let waitingForWord: (() => void)[] = []
  let isClosing = false
  let isSignedOff = false
  let leftOut = 0
  let failures = 0
  let wake = (): void => {}

  const objection = (): Refused | undefined => {
    if (isClosing) return notRecorded('the channel is closed')
    return trouble && notRecorded(tell(trouble))
  }
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, () => resolve())
      wake = () => {
        cancel()
        resolve()
      }
    })
  const giveWord = (): void => {
    for (const give of waitingForWord) give()
    waitingForWord = []
  }
  const fail = async (next: ChannelTrouble): Promise<void> => {
    const askedMs = next instanceof Fault ? 0 : (next.retryAfterSeconds ?? 0) * 1000
    const waitMs = Math.max(Math.min(channelLimits.firstRetryMs * 2 ** failures, channelLimits.retryMsMax), askedMs)
    if (!trouble && !ending.signal.aborted) report(next)
    trouble = next
    failures += 1
    giveWord()
    const failedAt = clock.now()
    const leftMs = (): number => failedAt + (isClosing ? channelLimits.firstRetryMs : waitMs) - clock.now()
    while (leftMs() > 0 && !ending.signal.aborted) await pause(leftMs())
  }
  const succeed = (): void => {
    trouble = undefined
    failures = 0
    heardAtMs = clock.now()
    giveWord()
  }

  const open = async (): Promise<void> => {
    const opened = await openRun(send, runId, ending.signal)
    if (opened.kind === 'refused') {
      if (opened.problem.code === 'audit.records-conflict') runId = newRun()
      return fail(opened.problem)
    }
    run = { id: runId, heartbeatMs: opened.answer.heartbeatMs, next: opened.answer.next }
    succeed()
  }
  /** Sends what is on its way, or what waits; without either, a heartbeat. Whether the run is over. */
  const bring = async (current: Run): Promise<boolean> => {
    if (flight.length === 0) {
      if (leftOut > 0) queue.unshift(leftOutRecord(leftOut, clock.now()))
      leftOut = 0
      flight = queue.slice(0, recordLimits.perMessageMax)
      queue = queue.slice(flight.length)
    }
    const bringing = flight
    const records = bringing.map(({ record }) => record)
    const wasSignedOff = isSignedOff
    isSignedOff = isClosing && queue.length === 0
    const sent = await sendRecords(send, { run: current.id, first: current.next, records, ...(isSignedOff && { isLast: true }) }, ending.signal)
    if (sent.kind === 'taken') {
      flight = []
      current.next = sent.answer.next
      for (const [at, { settle }] of bringing.entries()) settle({ kind: 'recorded', index: sent.answer.indexes[at] ?? -1 })
      succeed()
      return isSignedOff
    }
    const { code } = sent.problem
    if (code === 'audit.run-unknown' && wasSignedOff) return true // it had arrived
    // The gateway has forgotten the run, or someone else has written in it: what is on its way begins another.
    if (code === 'audit.run-unknown' || code === 'audit.records-conflict') {
      run = undefined
      runId = newRun()
    }
    // It would be refused again.
    if (code === 'access.malformed' || code === 'access.too-large') {
      for (const { settle } of bringing) settle(notRecorded('the gateway does not take the record'))
      flight = []
    }
    await fail(sent.problem)
    return false
  }
  const idle = async ({ heartbeatMs }: Run): Promise<void> => {
    if (queue.length + waitingForWord.length === 0 && !isClosing) await pause(heartbeatMs / 2)
    if (queue.length > 0 && !isClosing && terms.flush_ms > 0) await pause(terms.flush_ms)
  }
  const work = async (): Promise<void> => {
    let isOver = false
    while (!isOver && !ending.signal.aborted) {
      try {
        if (run) {
          if (flight.length === 0) await idle(run)
          isOver = await bring(run)
        } else if (isClosing && flight.length + queue.length === 0) isOver = true
        else await open()
      } catch (error) {
        if (ending.signal.aborted) break
        await fail(error instanceof Fault ? error : new Fault('the channel failed', 'unknown', error))
      }
    }
    for (const { settle } of [...flight, ...queue]) settle(notRecorded('the channel was closed'))
  }
  const working = work()

  const add = (record: RuntimeRecord, settle: Waiting['settle']): Waiting => {
    const waiting = { record, settle }
    queue.push(waiting)
    wake()
    return waiting
  }
  const isFull = (): boolean => queue.length + flight.length >= terms.memory_records

  return {
    ready: async () => {
      const askedAtMs = clock.now()
      if (isClosing || trouble || askedAtMs - heardAtMs <= channelLimits.provenMsMax) return objection()
      await new Promise<void>((resolve) => {
        const cancel = clock.after(terms.record_within_ms, resolve)
        waitingForWord.push(() => {
          cancel()
          resolve()
        })
        wake()
      })
      return objection() ?? (heardAtMs >= askedAtMs ? undefined : notRecorded(`the gateway did not answer within ${terms.record_within_ms} ms`))
    },
    record: (happening) => {
      const objected = objection()
      if (objected) return Promise.resolve(objected)
      if (isFull()) return Promise.resolve(notRecorded(`${terms.memory_records} records wait for the gateway`))
      const record = recordOf(happening, clock.now())
      if (!record) return Promise.resolve(notRecorded('it is larger than a record can be'))
      return new Promise((resolve) => {
        const cancel = clock.after(terms.record_within_ms, () => {
          queue = queue.filter((one) => one !== waiting)
          resolve(notRecorded(`the gateway did not take it within ${terms.record_within_ms} ms`))
        })
        const waiting = add(record, (recorded) => {
          cancel()
          resolve(recorded)
        })
      })
    },
    note: (happening) => {
      const record = isClosing || isFull() ? undefined : recordOf(happening, clock.now())
      if (record) add(record, () => {})
      else leftOut += 1
    },
    close: async () => {
      isClosing = true
      wake()
      // Not the clock's, which would let the process end before.
      const late = setTimeout(() => {
        ending.abort(new Error('the channel was closed'))
        wake()
      }, channelLimits.closeMsMax)
      await working
      clearTimeout(late)
      ending.abort(new Error('the channel was closed'))
    },
  }
}

function leftOutRecord(count: number, nowMs: number): Waiting {
  return { record: { at: new Date(nowMs).toISOString(), kind: 'records.left-out', facts: { count } }, settle: () => {} }
}

function notRecorded(reason: string): Refused {
  return refused('connect.not-recorded', reason, { detail: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`, retryAfterSeconds: 1 })
}

function tell(trouble: ChannelTrouble): string {
  return trouble instanceof Fault ? trouble.message : `the gateway refuses records: ${trouble.title} (${trouble.code})`
}
