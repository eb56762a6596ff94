import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import {
  parsePolicy,
  parseVerifierKey,
  policyText,
  verifyLog,
  verifyProof,
  type LogReader,
  type LogTrust,
  type PrunedPart,
  type VerifiedLog,
} from '@sallyport/contract/log'
import type { Command } from 'commander'
import { ArchiveReader } from '../archive/archive-reader.ts'
import type { ArchiveView } from '../archive/archive-store.ts'
import type { LogView } from '../audit/log-files.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { prove } from '../audit/prove.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder, keptCheckpoint } from '../control/data-folder.ts'
import { writePrivateFile } from '../control/private-files.ts'
import { readLogAt } from '../drivers/log-network/read-log.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { progressLine } from './progress-line.ts'
import { readSmallFile } from './read-small-file.ts'
import { addArchiveCommands, readerOfArchive, tellTampering } from './archive-commands.ts'
import { isS3Place, openArchiveAt, openConfiguredArchive } from './open-archive.ts'
import { configuredVerifierKey, ownPrunedLog } from './verify-log.ts'

export interface FromFolder {
  readonly from?: string
}

/** Of a log that was fetched from an archive, or copied. */
export const fromFolder = 'read the copy of a log in this folder (default: that of this data folder)'

/** Runs a command on the log of a data folder or another, if there is one. */
export type OnLog = (options: Common & FromFolder, work: (view: LogView) => Promise<void>) => Promise<void>

export type Trusting = Common & { readonly key?: string; readonly policy?: string }
/** A key or policy that is not one ends as a wrong command line does. */
export type WithTrust = (options: Trusting, work: (trust: LogTrust) => Promise<void>) => Promise<void>
type Verifying = Trusting & { readonly from?: string; readonly archive?: boolean; readonly remember?: string; readonly against: readonly string[] }

/** Of a proof, a checkpoint, an entry or a policy in a file. */
const fileBytesMax = 1_048_576

/** The commands that prove and verify: for the operator, and for whoever does not believe them. */
export function addLogProofCommands(log: Command, console: OperatorConsole, terminal: Terminal, onLog: OnLog): void {
  const { common, folderOf, print, warn, fail, run } = console
  const trusting = (command: Command, instead: string): Command =>
    common(command)
      .option('--key <vkey>', `the verifier key of the log${instead}`)
      .option('--policy <file>', 'a tlog-policy: the keys of logs and witnesses, and whose cosignatures are enough')
  const withTrust: WithTrust = async (options, work) => {
    const trust = options.policy === undefined ? readKey(options.key ?? (await ownKey(options))) : await readPolicy(options.policy)
    return typeof trust === 'string' ? fail(options, trust, exitCodes.usage) : work(trust)
  }
  const ownKey = (options: Common): Promise<string> => configuredVerifierKey(folderOf(options), options.config)
  const verify = (options: Verifying, open: (trust: LogTrust) => LogReader, { kept = [], pruned }: OwnMemory = {}): Promise<void> =>
    withTrust(options, async (trust) => {
      const reader = open(trust)
      const { remember } = options
      const remembered = remember !== undefined && existsSync(remember) ? await readText(remember) : undefined
      const others = await Promise.all(options.against.map(readText))
      let newest: string | undefined
      const progress = progressLine(terminal.stderr)
      const report = await verifyLog(
        noting(reader, (text) => (newest = text)),
        trust,
        nodeLogCrypto,
        {
          earlier: [...kept, remembered, ...others].filter((text) => text !== undefined),
          pruned,
          onProgress: (entries, size) => progress.tell(entries, size),
        },
      ).finally(() => progress.clear())
      if (report.kind === 'fault') {
        const { text, kind: _, ...fault } = report
        return fail(options, text, exitCodes.error, fault)
      }
      if (remember !== undefined && newest !== undefined) await writePrivateFile(dirname(resolve(remember)), basename(remember), newest)
      const tampering = reader instanceof ArchiveReader ? reader.tampering : undefined
      if (tampering) warn(tellTampering(tampering))
      print(options, { ...report, ...(tampering && { tampering }) }, told(report))
      if (tampering) terminal.exit(exitCodes.error)
    })
  const verifyArchive = async (options: Verifying, open: () => Promise<ArchiveView>): Promise<void> => {
    const archive = await open()
    try {
      await verify(options, (trust) => readerOfArchive(archive, trust))
    } finally {
      archive.close()
    }
  }

  trusting(log.command('verify').description('rebuild everything from the entries and compare; the first fault is named'), ' (default: from this data folder)')
    .option('--from <place>', 'the log to verify, a folder, a URL or s3://BUCKET/PREFIX, with --key or --policy (default: that of this data folder)')
    .option('--archive', 'verify the log from its archive alone, the one that the configuration names')
    .option('--remember <file>', 'keep the newest checkpoint in this file, and refuse a log that does not continue the one kept before')
    .option('--against <file>', "somebody else's checkpoint, which the log must continue too; may be repeated", collect, [])
    .action((options: Verifying) => {
      const { from } = options
      if (from !== undefined && options.archive === true) return fail(options, '--archive is that of the configuration: leave out --from', exitCodes.usage)
      if (options.archive === true) return run(options, () => verifyArchive(options, () => openConfiguredArchive(folderOf(options), options.config)))
      if (from === undefined)
        return onLog(options, async () => {
          const folder = folderOf(options)
          const kept = options.key === undefined ? [await keptCheckpoint(folder).read()] : []
          await verify(options, () => viewLogFolder(dataFolder(folder).log), { kept, pruned: await ownPrunedLog(folder) })
        })
      return run(options, async () => {
        if (options.key === undefined && options.policy === undefined)
          return fail(options, 'the log of somebody else takes --key or --policy, from someone you trust', exitCodes.usage)
        if (isS3Place(from)) return verifyArchive(options, () => openArchiveAt(from, terminal.env))
        if (!/^https?:\/\//.test(from))
          return existsSync(from) ? verify(options, () => viewLogFolder(from)) : fail(options, `there is no folder ${from}`, exitCodes.configuration)
        const reader = readLogAt(from)
        try {
          await verify(options, () => reader)
        } finally {
          reader.close()
        }
      })
    })

  trusting(log.command('prove').description('a proof that the entry is in the log, in the tlog-proof format'), ' (default: from this data folder)')
    .argument('<index>', 'its number in the log', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--entry <file>', 'also write the entry itself, byte by byte, to this new file: whoever checks the proof needs it')
    .option('--from <folder>', fromFolder)
    .action((index: number, options: Trusting & FromFolder & { readonly entry?: string }) =>
      onLog(options, (view) =>
        withTrust(options, async (trust) => {
          const proving = await prove(view, index, trust)
          if (proving.kind === 'refused') return fail(options, proving.reason)
          if (options.entry !== undefined) await writeFile(options.entry, proving.entry, { flag: 'wx' })
          print(options, { proof: proving.proof }, proving.proof.trimEnd())
        }),
      ),
    )

  trusting(log.command('check <proof>').description('check a proof with the key of the log or a policy alone, on any machine'), ', from someone you trust')
    .requiredOption('--entry <file>', 'the entry that the proof is about')
    .action((file: string, options: Trusting & { readonly entry: string }) =>
      run(options, async () => {
        if (options.key === undefined && options.policy === undefined)
          return fail(options, 'a proof is checked with --key or --policy, from someone you trust', exitCodes.usage)
        await withTrust(options, async (trust) => {
          // A terminal that showed the proof ended it with one line break.
          const checked = verifyProof(`${(await readText(file)).trimEnd()}\n`, await readSmallFile(options.entry, fileBytesMax), trust, nodeLogCrypto)
          if (checked.kind === 'refused') return fail(options, checked.reason)
          const { index, checkpoint, cosignatures } = checked
          const { origin, size } = checkpoint
          const witnesses = cosignatures.map(({ key, time }) => ({ name: key.name, time: new Date(time * 1000).toISOString() }))
          const said = `proved: the entry is number ${index} of ${size} in the log ${origin}${seenBy(witnesses)}`
          print(options, { kind: 'proved', index, origin, size, ...(options.policy !== undefined && { witnesses }) }, said)
        })
      }),
    )

  addArchiveCommands(log, console, terminal, (command) => trusting(command, ' (default: from this data folder)'), withTrust)

  common(log.command('policy').description('the key of this log, its witnesses and their quorum, as a tlog-policy for those who verify')).action(
    (options: Common) =>
      run(options, async () => {
        const { log: settings } = (await loadConfiguration(resolve(options.config))).configuration
        const witnesses = (settings?.witnesses ?? []).map(({ vkey }) => vkey)
        const policy = policyText(await ownKey(options), witnesses, settings?.quorum ?? witnesses.length)
        print(options, { policy }, policy.trimEnd())
      }),
  )
}

async function readText(file: string): Promise<string> {
  return (await readSmallFile(file, fileBytesMax)).toString('utf8')
}

function readKey(text: string): LogTrust | string {
  return parseVerifierKey(text.trim(), nodeLogCrypto.sha256) ?? 'the verifier key is not well-formed: it is written NAME+ID+KEY'
}

async function readPolicy(file: string): Promise<LogTrust | string> {
  const parsed = parsePolicy(await readSmallFile(file, fileBytesMax), nodeLogCrypto.sha256)
  return parsed.kind === 'parsed' ? parsed.policy : `${file} line ${parsed.line}: ${parsed.reason}`
}

interface OwnMemory {
  readonly kept?: readonly (string | undefined)[]
  readonly pruned?: PrunedPart | undefined
}

/** Tells the checkpoint that is verified. */
function noting(reader: LogReader, tell: (checkpoint: string | undefined) => void): LogReader {
  const { cosigned } = reader
  return {
    checkpoint: async () => {
      const text = await reader.checkpoint()
      tell(text)
      return text
    },
    ...(cosigned && { cosigned: () => cosigned.call(reader) }),
    tile: (path) => reader.tile(path),
  }
}

function told({ size, root, cosigned, prunedSize }: VerifiedLog): string {
  const whole = `verified: ${size} entries, root ${root}`
  const all =
    prunedSize === undefined
      ? whole
      : `${whole}\nof the first ${prunedSize} the hashes alone, since they were pruned here: "sallyport log verify --archive" verifies them too`
  return cosigned ? `${all}\n${cosigned.size === size ? 'all of them' : `the first ${cosigned.size}`}${seenBy(cosigned.witnesses)}` : all
}

function seenBy(witnesses: readonly { readonly name: string; readonly time: string }[]): string {
  return witnesses.length === 0 ? '' : `, cosigned by ${witnesses.map(({ name, time }) => `${name} at ${time}`).join(', ')}`
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
