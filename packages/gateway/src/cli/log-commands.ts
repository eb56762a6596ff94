import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { eventJsonSchema, Fault } from '@sallyport/contract'
import { parseVerifierKey, verifyProof } from '@sallyport/contract/log'
import type { Command } from 'commander'
import { findEvents } from '../audit/find-events.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { prove } from '../audit/prove.ts'
import { followLog, readRecord, type LogRecord } from '../audit/reader.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder } from '../control/data-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { findStory, tellStory } from './explain.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { addSearchCommands, indexMax, shownMax } from './search-commands.ts'
import { shownJson } from './show.ts'
import { openLogIndexToRead } from '../drivers/sqlite/log-index.ts'
import { tellRecord } from './tell-event.ts'
import { configuredVerifierKey, progressOf, verifyFolder, verifyOwnLog } from './verify-log.ts'

/** Between two looks at a log that is followed. */
const followPauseMs = 250

type WithKey = Common & { readonly key?: string }

/** The commands that read the log. None needs a running gateway. */
export function addLogCommands(root: Command, console: OperatorConsole, terminal: Terminal): void {
  const { common, shows, folderOf, print, printLine, fail, run, isFull } = console
  const log = root.command('log').description('the tamper-evident log; works without a running gateway')
  /** What is missing is the folder, so it ends as a wrong configuration does. */
  const onLog = (options: Common, work: (view: ReturnType<typeof viewLogFolder>) => Promise<void>): Promise<void> => {
    const folder = folderOf(options)
    if (existsSync(dataFolder(folder).log)) return run(options, () => work(viewLogFolder(dataFolder(folder).log)))
    const missing = existsSync(folder)
      ? `there is no log in ${folder} yet: run "sallyport up" first`
      : `there is no data folder ${folder}: run "sallyport init"`
    fail(options, `${missing}, or name the data folder with --data`, exitCodes.configuration)
    return Promise.resolve()
  }
  const verifierKey = async (options: WithKey): Promise<string> => options.key ?? configuredVerifierKey(folderOf(options), options.config)

  common(log.command('verify').description('rebuild everything from the entries and compare'))
    .option('--key <vkey>', 'the verifier key of the log (default: from this data folder)')
    .action(async (options: WithKey) =>
      onLog(options, async () => {
        const progress = progressOf(options, terminal)
        const report =
          options.key === undefined
            ? await verifyOwnLog(folderOf(options), options.config, progress)
            : await verifyFolder(dataFolder(folderOf(options)).log, options.key, progress && { onProgress: progress })
        if (report.kind === 'verified') return print(options, report, `verified: ${report.size} entries, root ${report.root}`)
        const { text, kind: _, ...fault } = report
        fail(options, text, exitCodes.error, fault)
      }),
    )
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
  common(log.command('prove').description('a proof that the entry is in the log, in the tlog-proof format'))
    .argument('<index>', 'its number in the log', wholeNumber(0, indexMax))
    .option('--key <vkey>', 'the verifier key of the log (default: from this data folder)')
    .option('--entry <file>', 'also write the entry itself, byte by byte, to this new file: whoever checks the proof needs it')
    .action(async (index: number, options: WithKey & { readonly entry?: string }) =>
      onLog(options, async (view) => {
        const key = parseVerifierKey(await verifierKey(options), nodeLogCrypto.sha256)
        if (!key) return fail(options, 'the verifier key is not well-formed', exitCodes.usage)
        const proving = await prove(view, index, key)
        if (proving.kind === 'refused') return fail(options, proving.reason)
        if (options.entry !== undefined) await writeFile(options.entry, proving.entry, { flag: 'wx' })
        print(options, { proof: proving.proof }, proving.proof.trimEnd())
      }),
    )
  common(log.command('check <proof>').description('check a proof with the key of the log alone, on any machine'))
    .requiredOption('--entry <file>', 'the entry that the proof is about')
    .requiredOption('--key <vkey>', 'the verifier key of the log, from someone you trust')
    .action(async (file: string, options: Common & { readonly entry: string; readonly key: string }) =>
      run(options, async () => {
        const key = parseVerifierKey(options.key.trim(), nodeLogCrypto.sha256)
        if (!key) return fail(options, 'the verifier key is not well-formed', exitCodes.usage)
        // A terminal that showed the proof ended it with one line break.
        const proof = `${(await readFile(file, 'utf8')).trimEnd()}\n`
        const checked = verifyProof(proof, await readFile(options.entry), key, nodeLogCrypto)
        if (checked.kind === 'refused') return fail(options, checked.reason)
        const { index, checkpoint } = checked
        print(
          options,
          { kind: 'proved', index, origin: checkpoint.origin, size: checkpoint.size },
          `proved: the entry is number ${index} of ${checkpoint.size} in the log ${checkpoint.origin}`,
        )
      }),
    )
  log
    .command('schema')
    .description('the JSON Schema of the entries, as docs/events.md describes them')
    .option('--json', 'print JSON, as it does anyway')
    .action(() => void terminal.stdout.write(`${JSON.stringify(eventJsonSchema(), null, 2)}\n`))
  addSearchCommands(log, console, terminal, onLog)
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
