import { readFile } from 'node:fs/promises'
import { Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import { dataFolder } from '../../control/data-folder.ts'
import { askGateway } from '../admin-client.ts'
import { moment } from '../moment.ts'
import { viewOwnLog } from '../open-archive.ts'
import { exitCodes, type Acting, type OperatorConsole, type Terminal } from '../operator-console.ts'
import { nothingObserved, observeFile, type Span } from './foreign-log.ts'
import { readMapping } from './mapping.ts'
import { huntOwnLog } from './own-log.ts'
import { addPairsCommand } from './pairs-command.ts'
import { verifyOwnLog } from '../verify-log.ts'
import { reportOf, tellReport, type Report } from './report.ts'
import { findUnmatched } from './unmatched.ts'

interface HuntOptions extends Acting {
  readonly from?: number
  readonly to?: number
  readonly log?: readonly string[]
  readonly mapping?: string
  readonly quarantine?: boolean
}

/** `hunt`: what should never be in a log, looked for over a time. */
export function addHuntCommand(root: Command, console: OperatorConsole, terminal: Pick<Terminal, 'exit' | 'stderr'>): void {
  const { as, print, warn, fail, run, folderOf } = console
  const hunt = root.command('hunt').description('look for what must not have happened, in our log or another system’s')
  as(hunt.command('refreshes').description('refreshes that succeeded without a validation of their own'))
    .option('--from <time>', 'the first moment, as 2026-11-01 or 2026-11-01T08:00:00Z', moment('begins'))
    .option('--to <time>', 'the last moment; a day counts to its end', moment('ends'))
    .option('--log <file...>', 'logs of another system: JSON Lines, packed (.gz) or not')
    .option('--mapping <file>', 'what the fields of these logs mean, see docs/operate/sessions.md')
    .option('--quarantine', 'revoke what is found: its agents get nothing until a person has logged in again')
    .action((options: HuntOptions) =>
      run(options, async () => {
        const span: Span = { from: options.from ?? 0, to: options.to ?? Number.MAX_SAFE_INTEGER }
        if (span.from > span.to) return fail(options, '--from is later than --to', exitCodes.usage)
        if ((options.log === undefined) !== (options.mapping === undefined)) {
          return fail(options, '--log and --mapping go together: the files, and what their fields mean', exitCodes.usage)
        }
        // An altered log hides what it likes, but what it says against a session still counts.
        const verified = options.log === undefined ? await verifyOwnLog(folderOf(options), options.config, terminal.stderr) : undefined
        if (verified?.kind === 'fault') warn([`the log does not verify, so more may have happened than is found here: ${verified.text}`])
        using view = viewOwnLog(folderOf(options), options.config)
        const report =
          options.log === undefined || options.mapping === undefined
            ? { ...(await huntOwnLog(view, span)), lines: 0, unreadable: 0, examples: [] }
            : await huntForeignLogs(options.log, options.mapping, span)
        const quarantined = options.quarantine === true ? await quarantine(console, options, report) : undefined
        const said = tellReport(report)
        print(
          options,
          { ...report, ...(quarantined && { quarantined }) },
          quarantined ? `${said}\nQuarantined ${quarantined.length} sessions: a person must log in again for their agents.` : said,
        )
        if (report.found.length > 0 || report.unreadable > 0 || verified?.kind === 'fault') terminal.exit(exitCodes.error)
      }),
    )
  addPairsCommand(hunt, console, terminal)
}

async function huntForeignLogs(files: readonly string[], mappingFile: string, span: Span): Promise<Report> {
  const mapping = readMapping(await readFile(mappingFile, 'utf8'), mappingFile)
  const observed = nothingObserved()
  for (const file of files) await observeFile(observed, file, mapping, span)
  return reportOf(observed, findUnmatched(observed.refreshes, observed.validations, mapping))
}

/** The sessions that were ended. One that this gateway does not know is another system's, and is to be ended there. */
async function quarantine({ folderOf, person }: OperatorConsole, options: HuntOptions, { found }: Report): Promise<readonly string[]> {
  const socket = dataFolder(folderOf(options)).adminSocket
  const ended: string[] = []
  for (const session of new Set(found.flatMap((one) => one.session ?? []))) {
    const answer = await askGateway(socket, 'session.quarantine', { session, person: person(options) })
    if (answer.kind === 'unreachable') throw new Fault('the gateway does not answer, so nothing was quarantined: start it and repeat this', 'not-done')
    if (answer.kind === 'done') ended.push(session)
  }
  return ended
}
