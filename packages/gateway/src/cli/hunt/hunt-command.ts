import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, type Command } from 'commander'
import { exitCodes, type Acting, type OperatorConsole, type Terminal } from '../operator-console.ts'
import { nothingObserved, observeFile, type Span } from './foreign-log.ts'
import { readMapping } from './mapping.ts'
import { reportOf, tellReport } from './report.ts'
import { findUnmatched } from './unmatched.ts'

interface HuntOptions extends Acting {
  readonly from?: number
  readonly to?: number
  readonly log?: readonly string[]
  readonly mapping?: string
}

/** `hunt`: what should never be in a log, looked for over a time. */
export function addHuntCommand(root: Command, { as, print, fail, run }: OperatorConsole, terminal: Pick<Terminal, 'exit'>): void {
  const hunt = root.command('hunt').description('look for what must not have happened, in our log or another system’s')
  as(hunt.command('refreshes').description('refreshes that succeeded without a validation of their own'))
    .option('--from <time>', 'the first moment, as 2026-11-01 or 2026-11-01T08:00:00Z', moment('from'))
    .option('--to <time>', 'the last moment; a day counts to its end', moment('to'))
    .option('--log <file...>', 'logs of another system: JSON Lines, packed (.gz) or not')
    .option('--mapping <file>', 'what the fields of these logs mean, see docs/operate/sessions.md')
    .action((options: HuntOptions) =>
      run(options, async () => {
        const span: Span = { from: options.from ?? 0, to: options.to ?? Number.MAX_SAFE_INTEGER }
        if (span.from > span.to) return fail(options, '--from is later than --to', exitCodes.usage)
        if (options.log === undefined || options.mapping === undefined) {
          return fail(options, 'name the files with --log and what their fields mean with --mapping', exitCodes.usage)
        }
        const mapping = readMapping(await readFile(options.mapping, 'utf8'), options.mapping)
        const observed = nothingObserved()
        for (const file of options.log) await observeFile(observed, file, mapping, span)
        const report = reportOf(observed, findUnmatched(observed.refreshes, observed.validations, mapping))
        print(options, report, tellReport(report))
        if (report.found.length > 0 || report.unreadable > 0) terminal.exit(exitCodes.error)
      }),
    )
}

const dayMs = 86_400_000

/** Reads a day or a moment; a time without an offset is UTC. */
function moment(end: 'from' | 'to'): (text: string) => number {
  return (text) => {
    const isDay = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)
    const isMoment = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
    const at = isDay || isMoment ? Date.parse(text) : Number.NaN
    if (Number.isNaN(at)) throw new InvalidArgumentError('Write a day (2026-11-01) or a moment with its offset (2026-11-01T08:00:00Z).')
    return isDay && end === 'to' ? at + dayMs - 1 : at
  }
}
