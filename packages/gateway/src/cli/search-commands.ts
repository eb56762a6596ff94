import { decisionEvent, logEvent, outcomeEvent, problems } from '@sallyport/contract'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { EventFilter } from '../audit/entry-facts.ts'
import { publishedSize } from '../audit/reader.ts'
import { searchLog } from '../audit/search-log.ts'
import { belongsTo, updateIndex } from '../audit/update-index.ts'
import { dataFolder } from '../control/data-folder.ts'
import { openLogIndex, openLogIndexToRead } from '../drivers/sqlite/log-index.ts'
import { suggest } from '../suggest.ts'
import { fromFolder, type FromFolder, type OnLog } from './log-proof-commands.ts'
import { moment } from './moment.ts'
import { agentName, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { isoTime } from './table.ts'
import { tellRecord } from './tell-event.ts'

/** Entries that one command shows. */
export const shownMax = 100_000
export const indexMax = Number.MAX_SAFE_INTEGER
/** Entries from which on a search without an index is slow enough to be worth a word. */
const smallLogEntries = 50_000
/** What some of the searched members can be; the others are free. */
export const searchedValues = {
  type: logEvent.options.map(({ shape }) => shape.type.value),
  decision: decisionEvent.shape.decision.options,
  result: outcomeEvent.shape.result.options,
} as const

type Asked = EventFilter & { readonly limit: number; readonly before?: number }

/** `log search` and `log index`. */
export function addSearchCommands(log: Command, { common, shows, folderOf, print, warn, isFull }: OperatorConsole, terminal: Terminal, onLog: OnLog): void {
  const timeAt = (day: 'begins' | 'ends') => (text: string) => isoTime(moment(day)(text))
  shows(log.command('search').description('the newest entries that fit'))
    .addOption(new Option('--type <type>', 'a kind of entry').choices(searchedValues.type))
    .option('--since <time>', 'not older: a day, a time such as 2026-11-25T14:00Z, or 30m, 2h, 7d ago', timeAt('begins'))
    .option('--until <time>', 'not younger, written the same way', timeAt('ends'))
    .option('--tenant <tenant>', 'of this tenant')
    .option('--agent <agent>', 'of this agent; TENANT/AGENT names its tenant too')
    .option('--upstream <upstream>', 'calls to this upstream')
    .option('--action <action>', 'calls of this action, or about this tool')
    .option('--act <act>', 'of operators, the gateway and sessions, such as agent.revoked or refreshed')
    .addOption(new Option('--decision <decision>', 'calls that were so decided').choices(searchedValues.decision))
    .option('--code <code>', 'refused with this code, as docs/problems.md lists them', problemCode)
    .addOption(new Option('--result <result>', 'calls that ended so').choices(searchedValues.result))
    .option('--rule <rule>', 'decided by this rule, also in shadow mode, or found by it in an answer')
    .option('--request <id>', 'of this request')
    .option('--call <digest>', 'of calls with this digest')
    .option('--approval <id>', 'about this approval')
    .option('--session <id>', 'of this session')
    .option('--before <index>', 'only older entries than this one: the next page', wholeNumber(0, indexMax))
    .option('--limit <count>', 'at most so many', wholeNumber(1, shownMax), 50)
    .option('--from <folder>', fromFolder)
    .action(async ({ config, data, json, full, limit, before, from, ...given }: Common & FromFolder & Asked) => {
      const options = {
        config,
        ...(from !== undefined && { from }),
        ...(data !== undefined && { data }),
        ...(json !== undefined && { json }),
        ...(full !== undefined && { full }),
      }
      const filter = given.agent?.includes('/') === true ? { ...given, ...agentName(given.agent) } : given
      await onLog(options, async (view) => {
        using index = from === undefined ? openLogIndexToRead(dataFolder(folderOf(options)).logIndex) : undefined
        const { found, index: used } = await searchLog(view, index, filter, { limit, ...(before !== undefined && { below: before }) })
        if (used === 'none' && (await publishedSize(view)) > smallLogEntries)
          warn(['this searched the log without an index, entry by entry; "sallyport log index rebuild" makes one'])
        const lines = found.map((record) => tellRecord(record, { isFull: isFull(options) }))
        const last = found.at(-1)
        const more = found.length === limit && last && last.index > 0 ? [`older ones: --before ${last.index}`] : []
        print(options, found, found.length === 0 ? 'No entry fits.' : [...lines, ...more].join('\n'))
      })
    })

  const index = log.command('index').description('the index that makes searches of a long log fast; only search uses it, and no proof does')
  for (const [verb, about] of [
    ['rebuild', 'make the index anew out of the log'],
    ['update', 'add what came since'],
  ] as const) {
    common(index.command(verb).description(about)).action((options: Common) =>
      onLog(options, async (view) => {
        using made = openLogIndex(dataFolder(folderOf(options)).logIndex)
        if (verb === 'rebuild') await made.clear()
        const size = await updateIndex(view, made, undefined, (entries, of) => {
          if (of > smallLogEntries && options.json !== true) terminal.stderr.write(`\r${entries} of ${of} entries`)
        })
        print(options, { kind: 'indexed', size }, `indexed: ${size} entries`)
      }),
    )
  }
  common(index.command('status').description('whether there is an index of this log, and how far it goes')).action((options: Common) =>
    onLog(options, async (view) => {
      using found = openLogIndexToRead(dataFolder(folderOf(options)).logIndex)
      const published = await publishedSize(view)
      if (!found) return print(options, { kind: 'none', log: published }, 'There is no index: log search reads the log itself.')
      const { size } = await found.state()
      if (!(await belongsTo(view, found)))
        return print(options, { kind: 'foreign', size, log: published }, 'The index was made of another log, and is not used: sallyport log index rebuild')
      print(options, { kind: 'index', size, log: published }, `The index has ${size} of ${published} entries; log search reads the others from the log itself.`)
    }),
  )
}

function problemCode(text: string): string {
  if (Object.hasOwn(problems, text)) return text
  throw new InvalidArgumentError(`It is no code of a problem${suggestion(text)}.`)
}

function suggestion(text: string): string {
  const hint = suggest(text, Object.keys(problems))
  return hint === undefined ? '' : `: ${hint.replace(/\?$/, '')}`
}
