import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { duration, durationMs } from '@sallyport/contract'
import { openSigned, type LogTrust } from '@sallyport/contract/log'
import { InvalidArgumentError, type Command } from 'commander'
import { ArchiveReader, type Tampering } from '../archive/archive-reader.ts'
import type { ArchiveView } from '../archive/archive-store.ts'
import { fetchArchive } from '../archive/fetch-archive.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { openArchiveAt, openConfiguredArchive } from './open-archive.ts'
import { exitCodes, type Acting, type OperatorConsole, type Terminal } from './operator-console.ts'
import type { Trusting, WithTrust } from './log-proof-commands.ts'
import { progressLine } from './progress-line.ts'
import { pruneLog } from './prune-log.ts'

/** Reads an archive as whoever trusts this: its newest checkpoint is the newest that the log signed. */
export function readerOfArchive(archive: ArchiveView, trust: LogTrust): ArchiveReader {
  const sizeOf = (text: string): number | undefined => {
    const opened = openSigned(text, trust, nodeLogCrypto)
    return opened.kind === 'opened' ? opened.checkpoint.size : undefined
  }
  return new ArchiveReader(archive, { sizeOf, inOrder: true })
}

/** What a person is told of what was laid over the archive. */
export function tellTampering({ count, named, falseCheckpoints }: Tampering): readonly string[] {
  const over = named.map(({ path, over: what }) => `${path} (${what === 'version' ? 'another version' : 'a delete marker'})`)
  return [
    ...(count > 0
      ? [
          `somebody laid something over objects of the archive (${count}), which hides them from others and not from this: ${over.slice(0, 3).join(', ')}${count > 3 ? ', …' : ''}`,
        ]
      : []),
    ...(falseCheckpoints > 0 ? [`somebody laid ${falseCheckpoints} checkpoints into the archive that the log did not sign`] : []),
  ]
}

/** The commands that move entries between here and the archive. */
export function addArchiveCommands(
  log: Command,
  console: OperatorConsole,
  terminal: Terminal,
  trusting: (command: Command) => Command,
  withTrust: WithTrust,
): void {
  const { as, folderOf, print, warn, fail, run, person } = console
  trusting(log.command('fetch-archive <folder>').description('copy the log out of its archive into a new folder, verified on the way'))
    .option('--from <place>', 's3://BUCKET/PREFIX, with --key or --policy (default: the archive of the configuration)')
    .action((target: string, options: Trusting & { readonly from?: string }) =>
      run(options, async () => {
        if (existsSync(target)) return fail(options, `${target} is there already, and nothing is overwritten: name a new folder`, exitCodes.usage)
        await withTrust(options, async (trust) => {
          const archive =
            options.from === undefined ? await openConfiguredArchive(folderOf(options), options.config) : await openArchiveAt(options.from, terminal.env)
          const unfinished = `${resolve(target)}.unfinished`
          const progress = progressLine(terminal.stderr)
          try {
            await mkdir(unfinished, { recursive: true, mode: 0o700 })
            const reader = readerOfArchive(archive, trust)
            const keep = async (path: string, bytes: Uint8Array): Promise<void> => {
              await mkdir(dirname(join(unfinished, path)), { recursive: true, mode: 0o700 })
              await writeFile(join(unfinished, path), bytes, { flag: 'wx', mode: 0o600 })
            }
            const report = await fetchArchive({ reader, trust, keep, onProgress: (entries, size) => progress.tell(entries, size) }).finally(() =>
              progress.clear(),
            )
            if (report.kind === 'fault') return fail(options, report.text, exitCodes.error, { check: report.check })
            await rename(unfinished, target)
            const { tampering } = reader
            if (tampering) warn(tellTampering(tampering))
            print(options, { ...report, ...(tampering && { tampering }) }, `fetched and verified: ${report.size} entries, in ${target}`)
            if (tampering) terminal.exit(exitCodes.error)
          } finally {
            archive.close()
            await rm(unfinished, { recursive: true, force: true })
          }
        })
      }),
    )

  as(log.command('prune').description('remove old entries here, after proof that the archive has each of them, locked'))
    .requiredOption('--keep <duration>', 'what is younger stays, such as 90d', keptFor)
    .action((options: Acting & { readonly keep: number }) =>
      run(options, async () => {
        const progress = progressLine(terminal.stderr)
        const pruning = await pruneLog({
          folder: folderOf(options),
          configurationFile: options.config,
          compiled: await loadConfiguration(resolve(options.config)),
          keepMs: options.keep,
          person: person(options),
          nowMs: Date.now(),
          onProgress: (entries, size) => progress.tell(entries, size),
        }).finally(() => progress.clear())
        if (pruning.kind === 'refused') return fail(options, `nothing was removed: ${pruning.reason}`)
        const { prunedSize, before, size } = pruning
        const gone = prunedSize - before
        print(
          options,
          pruning,
          `${gone === 0 ? 'nothing to remove' : `removed: ${gone} entries`}; of ${size} entries the first ${prunedSize} are in the archive alone`,
        )
      }),
    )
}

function keptFor(text: string): number {
  if (duration.safeParse(text).success) return durationMs(text)
  throw new InvalidArgumentError('Write a duration, such as 90d.')
}
