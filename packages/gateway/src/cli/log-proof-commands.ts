import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { parsePolicy, parseVerifierKey, policyText, verifyLog, verifyProof, type LogReader, type LogTrust, type VerifiedLog } from '@sallyport/contract/log'
import type { Command } from 'commander'
import type { LogView } from '../audit/log-files.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { prove } from '../audit/prove.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { keptCheckpoint } from '../control/data-folder.ts'
import { writePrivateFile } from '../control/private-files.ts'
import { readLogAt } from '../drivers/log-network/read-log.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { progressLine } from './progress-line.ts'
import { readSmallFile } from './read-small-file.ts'
import { configuredVerifierKey } from './verify-log.ts'

/** Runs a command on the log of a data folder, if there is one. */
export type OnLog = (options: Common, work: (view: LogView) => Promise<void>) => Promise<void>

type Trusting = Common & { readonly key?: string; readonly policy?: string }
type Verifying = Trusting & { readonly from?: string; readonly remember?: string; readonly against: readonly string[] }

/** Of a proof, a checkpoint, an entry or a policy in a file. */
const fileBytesMax = 1_048_576

/** The commands that prove and verify: for the operator, and for whoever does not believe them. */
export function addLogProofCommands(log: Command, console: OperatorConsole, terminal: Terminal, onLog: OnLog): void {
  const { common, folderOf, print, fail, run } = console
  const trusting = (command: Command, instead: string): Command =>
    common(command)
      .option('--key <vkey>', `the verifier key of the log${instead}`)
      .option('--policy <file>', 'a tlog-policy: the keys of logs and witnesses, and whose cosignatures are enough')
  /** A key or policy that is not one ends as a wrong command line does. */
  const withTrust = async (options: Trusting, work: (trust: LogTrust) => Promise<void>): Promise<void> => {
    const trust = options.policy === undefined ? readKey(options.key ?? (await ownKey(options))) : await readPolicy(options.policy)
    return typeof trust === 'string' ? fail(options, trust, exitCodes.usage) : work(trust)
  }
  const ownKey = (options: Common): Promise<string> => configuredVerifierKey(folderOf(options), options.config)
  const verify = (options: Verifying, reader: LogReader, kept: readonly (string | undefined)[] = []): Promise<void> =>
    withTrust(options, async (trust) => {
      const { remember } = options
      const remembered = remember !== undefined && existsSync(remember) ? await readText(remember) : undefined
      const others = await Promise.all(options.against.map(readText))
      let newest: string | undefined
      const progress = progressLine(terminal.stderr)
      const report = await verifyLog({ ...reader, checkpoint: async () => (newest = await reader.checkpoint()) }, trust, nodeLogCrypto, {
        earlier: [...kept, remembered, ...others].filter((text) => text !== undefined),
        onProgress: (entries, size) => progress.tell(entries, size),
      }).finally(() => progress.clear())
      if (report.kind === 'fault') {
        const { text, kind: _, ...fault } = report
        return fail(options, text, exitCodes.error, fault)
      }
      if (remember !== undefined && newest !== undefined) await writePrivateFile(dirname(resolve(remember)), basename(remember), newest)
      print(options, report, told(report))
    })

  trusting(log.command('verify').description('rebuild everything from the entries and compare; the first fault is named'), ' (default: from this data folder)')
    .option('--from <place>', 'the log to verify, a folder or a URL, with --key or --policy (default: that of this data folder)')
    .option('--remember <file>', 'keep the newest checkpoint in this file, and refuse a log that does not continue the one kept before')
    .option('--against <file>', "somebody else's checkpoint, which the log must continue too; may be repeated", collect, [])
    .action((options: Verifying) => {
      const { from } = options
      if (from === undefined)
        return onLog(options, async (view) => verify(options, view, [options.key === undefined ? await keptCheckpoint(folderOf(options)).read() : undefined]))
      return run(options, async () => {
        if (options.key === undefined && options.policy === undefined)
          return fail(options, 'the log of somebody else takes --key or --policy, from someone you trust', exitCodes.usage)
        if (!/^https?:\/\//.test(from))
          return existsSync(from) ? verify(options, viewLogFolder(from)) : fail(options, `there is no folder ${from}`, exitCodes.configuration)
        const reader = readLogAt(from)
        try {
          await verify(options, reader)
        } finally {
          reader.close()
        }
      })
    })

  trusting(log.command('prove').description('a proof that the entry is in the log, in the tlog-proof format'), ' (default: from this data folder)')
    .argument('<index>', 'its number in the log', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--entry <file>', 'also write the entry itself, byte by byte, to this new file: whoever checks the proof needs it')
    .action((index: number, options: Trusting & { readonly entry?: string }) =>
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

function told({ size, root, cosigned }: VerifiedLog): string {
  const all = `verified: ${size} entries, root ${root}`
  return cosigned ? `${all}\n${cosigned.size === size ? 'all of them' : `the first ${cosigned.size}`}${seenBy(cosigned.witnesses)}` : all
}

function seenBy(witnesses: readonly { readonly name: string; readonly time: string }[]): string {
  return witnesses.length === 0 ? '' : `, cosigned by ${witnesses.map(({ name, time }) => `${name} at ${time}`).join(', ')}`
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
