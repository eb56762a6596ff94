import type { AdminEvent } from '@sallyport/contract'
import type { WitnessStanding } from '../../audit/witness-port.ts'
import { gauge, type Series } from '../../telemetry/metrics.ts'
import type { ShownLog } from './show-log.ts'

export interface WitnessNewsPorts {
  readonly note: (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<number>
  readonly report: (event: string, error: unknown) => void
  readonly tell: ((event: string, facts: Readonly<Record<string, string | number>>) => void) | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A witness that says one thing and then another would otherwise fill the log with the alarms that it raises. */
export const conflictNotedEveryMs = 3_600_000

/** Says that a witness is in another state. A conflict is an alarm, and goes into the log too, once in an hour: whoever rolled it back may not look elsewhere. */
export function tellOfWitnesses({ note, report, tell, now }: WitnessNewsPorts): (standing: WitnessStanding) => void {
  const notedAt = new Map<string, number>()
  return ({ name, state, size, problem }) => {
    if (state !== 'conflict') return tell?.('log.witness', { witness: name, state, size, ...(problem !== undefined && { problem }) })
    report('log.conflict', new Error(`ALARM: the witness ${name} has seen another log under our key: ${problem ?? ''}`))
    if (now() - (notedAt.get(name) ?? Number.NEGATIVE_INFINITY) < conflictNotedEveryMs) return
    notedAt.set(name, now())
    note({ type: 'admin', act: 'log.conflict', subject: { witness: name, size, problem: problem ?? '' } }).catch((fault: unknown) =>
      report('log.conflict', fault),
    )
  }
}

/** What the log and its witnesses show. `size` is not known while the ledger is recovered. */
export function gaugesOfLog(size: number | undefined, witnessing: ShownLog['witnessing']): readonly Series[] {
  const gauges = size === undefined ? [] : [gauge('sallyport_log_size', {}, size)]
  if (!witnessing) return gauges
  return [
    ...gauges,
    gauge('sallyport_log_cosigned_size', {}, witnessing.cosignedSize),
    ...witnessing.witnesses.flatMap(({ name: witness, state, size: cosigned }) => [
      gauge('sallyport_log_witness_size', { witness }, cosigned),
      gauge('sallyport_log_witness_cosigns', { witness }, state === 'cosigns' ? 1 : 0),
      gauge('sallyport_log_witness_conflict', { witness }, state === 'conflict' ? 1 : 0),
    ]),
  ]
}
