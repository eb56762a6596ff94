import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Fault } from '@sallyport/contract'
import { parseVerifierKey } from '@sallyport/contract/log'
import type { Command } from 'commander'
import { findEvents, type EventFilter } from '../audit/find-events.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { prove } from '../audit/prove.ts'
import { followLog, readRecord, type LogRecord } from '../audit/reader.ts'
import { dataFolder, keptCheckpoint } from '../control/data-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { loadConfiguration } from '../main.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { ownVerifierKey, verifyFolder } from './verify-log.ts'

/** Between two looks at a log that is followed. */
const followPauseMs = 250
/** Entries that one command shows. */
const shownMax = 100_000
const indexMax = Number.MAX_SAFE_INTEGER

type WithKey = Common & { readonly key?: string }

/** The commands that read the log. None needs a running gateway. */
export function addLogCommands(root: Command, { common, shows, folderOf, print, printLine, fail, run }: OperatorConsole, terminal: Terminal): void {
  const log = root.command('log').description('the tamper-evident log; works without a running gateway')
  const view = (options: Common): ReturnType<typeof viewLogFolder> => {
    const folder = folderOf(options)
    if (!existsSync(dataFolder(folder).log))
      throw new Fault(`there is no log in ${folder}: run "sallyport up" first, or name the data folder with --data`, 'not-done')
    return viewLogFolder(dataFolder(folder).log)
  }
  const verifierKey = async (options: WithKey): Promise<string> =>
    options.key ?? (await ownVerifierKey(folderOf(options), (await loadConfiguration(resolve(options.config))).configuration.trustDomain))

  common(log.command('verify').description('rebuild everything from the entries and compare'))
    .option('--key <vkey>', 'the verifier key of the log (default: from this data folder)')
    .action(async (options: WithKey) =>
      run(options, async () => {
        view(options)
        const earlier = options.key === undefined ? await keptCheckpoint(folderOf(options)).read() : undefined
        const report = await verifyFolder(dataFolder(folderOf(options)).log, await verifierKey(options), {
          ...(earlier !== undefined && { earlier }),
          onProgress: (entries, size) => size > 50_000 && !options.json && void terminal.stderr.write(`\r${entries} of ${size} entries`),
        })
        if (report.kind === 'fault') return fail(options, report.text, exitCodes.error, report)
        print(options, report, `verified: ${report.size} entries, root ${report.root}`)
      }),
    )
  shows(log.command('show').description('one entry'))
    .argument('<index>', 'its number in the log', wholeNumber(0, indexMax))
    .action(async (index: number, options: Common) =>
      run(options, async () => {
        const record = await readRecord(view(options), index)
        return record ? print(options, record) : fail(options, `the log has no entry ${index}`)
      }),
    )
  common(log.command('prove').description('a proof that the entry is in the log, in the tlog-proof format'))
    .argument('<index>', 'its number in the log', wholeNumber(0, indexMax))
    .option('--key <vkey>', 'the verifier key of the log (default: from this data folder)')
    .action(async (index: number, options: WithKey) =>
      run(options, async () => {
        const key = parseVerifierKey(await verifierKey(options), nodeLogCrypto.sha256)
        if (!key) return fail(options, 'the verifier key is not well-formed', exitCodes.usage)
        const proving = await prove(view(options), index, key)
        return proving.kind === 'proved' ? print(options, { proof: proving.proof }, proving.proof) : fail(options, proving.reason)
      }),
    )
  shows(log.command('search').description('the newest entries that fit'))
    .option('--type <type>', 'decision, refusal, outcome, approval, admin or gateway')
    .option('--tenant <tenant>')
    .option('--agent <agent>')
    .option('--upstream <upstream>')
    .option('--action <action>')
    .option('--code <code>')
    .option('--rule <rule>')
    .option('--limit <count>', 'at most so many', wholeNumber(1, shownMax), 50)
    .action(async ({ config, data, json, full, limit, ...filter }: Common & EventFilter & { readonly limit: number }) => {
      const options = { config, ...(data !== undefined && { data }), ...(json !== undefined && { json }), ...(full !== undefined && { full }) }
      await run(options, async () => print(options, await findEvents(view(options), filter, limit)))
    })
  shows(log.command('tail').description('the newest entries, a line each'))
    .option('-n, --lines <count>', 'how many', wholeNumber(0, shownMax), 20)
    .option('-f, --follow', 'go on with new entries until interrupted')
    .action(async (options: Common & { readonly lines: number; readonly follow?: boolean }) =>
      run(options, async () => {
        const line = ({ index, event }: LogRecord): void => printLine(options, { index, ...event })
        const newest = (await findEvents(view(options), {}, Math.max(1, options.lines))).reverse()
        if (options.lines > 0) newest.forEach(line)
        if (!options.follow) return
        const pause = (signal: AbortSignal): Promise<void> => wait(followPauseMs, undefined, { signal }).catch(() => undefined)
        for await (const record of followLog(view(options), (newest.at(-1)?.index ?? -1) + 1, pause, terminal.stop)) line(record)
      }),
    )

  shows(root.command('explain <event>').description('which rule decided, on which facts: by request id, approval or index')).action(
    async (event: string, options: Common) =>
      run(options, async () => {
        const text = event.replace(/^urn:uuid:/, '')
        const found = /^[0-9]{1,12}$/.test(text)
          ? [await readRecord(view(options), Number(text))].filter((record) => record !== undefined)
          : [...(await findEvents(view(options), { request: text }, 10)), ...(await findEvents(view(options), { approval: text }, 10))]
        return found.length > 0 ? print(options, found) : fail(options, `the log has no entry about ${text}`)
      }),
  )
}
