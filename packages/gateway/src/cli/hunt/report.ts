import { isoTime, table } from '../table.ts'
import type { Observed, Refresh } from './foreign-log.ts'
import type { Unmatched } from './unmatched.ts'

/** What a hunt for refreshes found; the shape of `--json`. */
export interface Report {
  readonly refreshes: number
  readonly validations: number
  readonly found: readonly Found[]
  readonly lines: number
  /** Lines that could not be read: with any, the hunt is not complete. */
  readonly unreadable: number
  readonly examples: readonly string[]
}

export interface Found {
  /** Absent where the log names none. */
  readonly session?: string
  readonly time?: string
  readonly agent?: string
  readonly place: string
  readonly why: string
}

const reasons = {
  none: 'no validation of this session in the time before it',
  used: 'its validation was that of an earlier refresh',
} as const

export function reportOf(observed: Observed, unmatched: readonly Unmatched<Refresh>[]): Report {
  const { refreshes, validations, lines, unreadable, examples, withoutSession } = observed
  return {
    refreshes: refreshes.length + withoutSession.length,
    validations: validations.length,
    found: [
      ...unmatched.map(({ effect: { key, at, agent, place }, why }) => ({
        session: key,
        time: isoTime(at),
        ...(agent !== undefined && { agent }),
        place,
        why: reasons[why],
      })),
      ...withoutSession.map((place) => ({ place, why: 'it names no session' })),
    ],
    lines,
    unreadable,
    examples,
  }
}

export function tellReport({ refreshes, found, lines, unreadable, examples }: Report): string {
  const rows = found.map(({ time = '-', session = '-', agent = '-', place, why }) => [time, session, agent, place, why])
  return [
    found.length === 0
      ? `Each of ${refreshes} refreshes has a validation of its own.`
      : `${found.length} of ${refreshes} refreshes succeeded without a validation of their own:`,
    ...(found.length === 0 ? [] : [table(['TIME', 'SESSION', 'AGENT', 'PLACE', 'WHY'], rows)]),
    ...(unreadable === 0
      ? []
      : [`Not complete: ${unreadable} of ${lines} lines could not be read, such as\n${examples.map((example) => `  ${example}`).join('\n')}`]),
    ...(refreshes === 0 && unreadable === 0 ? ['No refresh at all: is the mapping right, and the time?'] : []),
  ].join('\n')
}
