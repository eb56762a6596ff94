import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { eventJsonSchema, Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import { findEvents } from '../audit/find-events.ts'
import { followLog, readRecord, type LogRecord } from '../audit/reader.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder } from '../control/data-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { findStory, tellStory } from './explain.ts'
import { addLogProofCommands, type OnLog } from './log-proof-commands.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { addPayloadCommands } from './payload-commands.ts'
import { addSearchCommands, indexMax, shownMax } from './search-commands.ts'
import { shownJson } from './show.ts'
import { openLogIndexToRead } from '../drivers/sqlite/log-index.ts'
import { tellRecord } from './tell-event.ts'

/** Between two looks at a log that is followed. */
const followPauseMs = 250

/** The commands that read the log. Those about what was kept beside it need a running gateway, the others none. */
export function addLogCommands(root: Command, console: OperatorConsole, terminal: Terminal): void {
  const { shows, folderOf, print, printLine, fail, run, isFull } = console
  const log = root.command('log').description('the tamper-evident log; works without a running gateway')
  /** What is missing is the folder, so it ends as a wrong configuration does. */
  const onLog: OnLog = (options, work) => {
    const folder = folderOf(options)
    if (existsSync(dataFolder(folder).log)) return run(options, () => work(viewLogFolder(dataFolder(folder).log)))
    const missing = existsSync(folder)
      ? `there is no log in ${folder} yet: run "sallyport up" first`
      : `there is no data folder ${folder}: run "sallyport init"`
    fail(options, `${missing}, or name the data folder with --data`, exitCodes.configuration)
    return Promise.resolve()
  }
  addLogProofCommands(log, console, terminal, onLog)
  shows(log.command('show').description('one entry'))
    .argument('<index>', 'its number in the log', wholeNumber(0, indexMax))
    .action(async (index: number, options: Common) =>
      onLog(options, async (view) => {
        const record = await readRecord(view, index)
        if (!record) return fail(options, `the log has no entry ${index}`)
        const show = { isFull: isFull(options) }
        print(options, record, `${tellRecord(record, show)}\n${shownJson(record.event, show)}`)
      }),
    )
  log
    .command('schema')
    .description('the JSON Schema of the entries, as docs/events.md describes them')
    .option('--json', 'print JSON, as it does anyway')
    .action(() => void terminal.stdout.write(`${JSON.stringify(eventJsonSchema(), null, 2)}\n`))
  addSearchCommands(log, console, terminal, onLog)
  addPayloadCommands(log, console)
  shows(log.command('tail').description('the newest entries, a line each'))
    .option('-n, --lines <count>', 'how many', wholeNumber(0, shownMax), 20)
    .option('-f, --follow', 'go on with new entries until interrupted')
    .action(async (options: Common & { readonly lines: number; readonly follow?: boolean }) =>
      onLog(options, async (view) => {
        const line = (record: LogRecord): void => printLine(options, { index: record.index, ...record.event }, tellRecord(record, { isFull: isFull(options) }))
        const newest = (await findEvents(view, {}, Math.max(1, options.lines))).reverse()
        if (options.lines > 0) newest.forEach(line)
        if (!options.follow) return
        const pause = (signal: AbortSignal): Promise<void> => wait(followPauseMs, undefined, { signal }).catch(() => undefined)
        for await (const record of followLog(view, (newest.at(-1)?.index ?? -1) + 1, pause, terminal.stop)) line(record)
      }),
    )

  shows(
    root.command('explain <event>').description('what was decided, by which rule and on which facts, and what came of it: by request id, approval or index'),
  ).action(async (event: string, options: Common) =>
    onLog(options, async (view) => {
      using index = openLogIndexToRead(dataFolder(folderOf(options)).logIndex)
      const story = await findStory(view, event, index)
      if (story.length === 0) return fail(options, `the log has no entry about ${event}; refusals of the bridge, and many alike, have none of their own`)
      const current = await loadConfiguration(resolve(options.config)).catch((error: unknown) => {
        if (error instanceof Fault) return undefined // it is only asked for the words of the rule
        throw error
      })
      print(options, story, tellStory(story, current))
    }),
  )
}
