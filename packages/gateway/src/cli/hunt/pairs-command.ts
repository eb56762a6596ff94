import { duration, durationMs } from '@sallyport/contract'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { searchedNames, searchedReferences, type EventFilter } from '../../audit/entry-facts.ts'
import { dataFolder } from '../../control/data-folder.ts'
import { openLogIndexToRead } from '../../drivers/sqlite/log-index.ts'
import { moment } from '../moment.ts'
import { viewOwnLog } from '../open-archive.ts'
import { exitCodes, type Common, type OperatorConsole, type Terminal } from '../operator-console.ts'
import { searchedValues } from '../search-commands.ts'
import { table } from '../table.ts'
import { verifyOwnLog } from '../verify-log.ts'
import { huntPairs, type PairHunt, type PairTerms } from './pairs.ts'

/** Of what is found, what a person is shown; `--json` has all. */
const shownMax = 1_000

const asked = [...searchedNames, ...searchedReferences]
const reasons = { none: 'none in the time', used: 'it was that of another entry', nameless: 'it does not name what both must have in common' } as const

interface PairsOptions extends Common {
  readonly first: EventFilter
  readonly without: EventFilter
  readonly same: PairTerms['same']
  readonly within: number
  readonly side: PairTerms['side']
  readonly from?: number
  readonly to?: number
  readonly quick?: boolean
}

/** `hunt pairs`: A without B within a time. */
export function addPairsCommand(hunt: Command, { common, print, fail, run, folderOf }: OperatorConsole, terminal: Pick<Terminal, 'exit' | 'stderr'>): void {
  common(hunt.command('pairs').description('entries of our log without the counterpart that must be within a time, such as permits without an outcome'))
    .requiredOption('--first <name=value...>', 'the entries, such as type=decision decision=permit', readFact)
    .requiredOption('--without <name=value...>', 'their counterparts, such as type=outcome', readFact)
    .addOption(new Option('--same <name...>', 'what both must have in common').choices(asked).default(['request']))
    .requiredOption('--within <duration>', 'how far apart they may be, such as 60s', readDuration)
    .addOption(new Option('--side <side>', 'where the counterpart belongs').choices(['after', 'before']).default('after'))
    .option('--from <time>', 'the first moment: a day, a time such as 2026-11-01T08:00:00Z, or 30m, 2h, 7d ago', moment('begins'))
    .option('--to <time>', 'the last moment, written the same way; a day counts to its end', moment('ends'))
    .option('--quick', 'look where the index says, without verifying the log first')
    .action((options: PairsOptions) =>
      run(options, async () => {
        const { first, without, same, within: withinMs, side, quick = false } = options
        const now = Date.now()
        const span = { from: options.from ?? 0, to: options.to ?? now }
        if (span.from > span.to) return fail(options, '--from is later than --to', exitCodes.usage)
        const places = dataFolder(folderOf(options))
        using index = quick ? openLogIndexToRead(places.logIndex) : undefined
        if (quick && !index) return fail(options, 'there is no index: make one with "sallyport log index rebuild", or leave out --quick')
        const verified = quick ? undefined : await verifyOwnLog(folderOf(options), options.config, terminal.stderr)
        if (verified?.kind === 'fault') {
          const { text, kind: _, ...fault } = verified
          return fail(options, `the log does not verify, so nothing that it lacks means anything: ${text}`, exitCodes.error, fault)
        }
        using view = viewOwnLog(folderOf(options), options.config)
        const hunted = await huntPairs(view, index, { first, without, same, withinMs, side }, span, now)
        print(options, { ...hunted, verified: verified ? { size: verified.size, root: verified.root } : null }, tellPairs(hunted, verified?.size))
        if (hunted.found.length > 0) terminal.exit(exitCodes.error)
      }),
    )
}

function tellPairs({ firsts, open, found }: PairHunt, verified: number | undefined): string {
  const rows = found.slice(0, shownMax).map(({ index, time, same, why }) => [time, String(index), same.join(' ') || '-', reasons[why]])
  return [
    found.length === 0 ? `Each of ${firsts} entries has a counterpart of its own.` : `${found.length} of ${firsts} entries have no counterpart of their own:`,
    ...(found.length === 0 ? [] : [table(['TIME', 'ENTRY', 'SAME', 'COUNTERPART'], rows)]),
    ...(found.length > shownMax ? [`and ${found.length - shownMax} more: --json shows all`] : []),
    ...(open === 0 ? [] : [`For ${open} the time is not over yet.`]),
    ...(firsts === 0 ? ['No entry fits --first at all: is it what you mean, and the time?'] : []),
    verified === undefined ? 'Looked where the index says; the log was not verified.' : `The log is verified: ${verified} entries.`,
  ].join('\n')
}

/** Adds one more `name=value` to those before. */
function readFact(text: string, before: EventFilter | undefined): EventFilter {
  const [, name = '', value = ''] = /^([a-z]+)=(.+)$/s.exec(text) ?? []
  if (name !== 'rule' && !asked.some((one) => one === name)) throw new InvalidArgumentError(`Write NAME=VALUE, with a name of ${asked.join(', ')}, rule.`)
  const known = valuesOf(name)
  if (known && !known.includes(value)) throw new InvalidArgumentError(`The ${name} is one of ${known.join(', ')}.`)
  if (before && name in before) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...before, [name]: value }
}

function valuesOf(name: string): readonly string[] | undefined {
  return name === 'type' || name === 'decision' || name === 'result' ? searchedValues[name] : undefined
}

function readDuration(text: string): number {
  if (duration.safeParse(text).success) return durationMs(text)
  throw new InvalidArgumentError('Write a duration, such as 500ms, 60s, 10m, 12h or 7d.')
}
