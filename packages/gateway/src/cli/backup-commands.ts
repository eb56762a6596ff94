import { readFile } from 'node:fs/promises'
import { Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import type { Manifest } from '../control/backup/archive.ts'
import { passphraseLengthMin } from '../control/backup/sealed-stream.ts'
import { readPrivateFile } from '../control/private-files.ts'
import { backUp, restore } from './back-up.ts'
import { exitCodes, type Acting, type OperatorConsole, type Terminal } from './operator-console.ts'

const passphraseLengthMax = 1024

type Locked = Acting & { readonly passphraseFile?: string }

/** `backup` and `restore`. */
export function addBackupCommands(root: Command, { as, run, print, fail, folderOf, person }: OperatorConsole, terminal: Terminal): void {
  const passphrase = async ({ passphraseFile }: Locked): Promise<string> =>
    (passphraseFile === undefined ? await readStart(terminal.stdin) : await readPrivateFile(passphraseFile)).replace(/\r?\n$/, '')

  as(root.command('backup').description('copy the data folder into one file, with the gateway up or down; the passphrase comes from standard input'))
    .argument('<file>', 'what to write, or an existing folder for a new file; nothing is replaced')
    .option('--passphrase-file <file>', 'read the passphrase from this file, which only its owner can read')
    .option('--plain', 'seal nothing: whoever has the file has every key of the gateway')
    .action(async (file: string, options: Locked & { readonly plain?: boolean }) =>
      run(options, async () => {
        const given = options.plain === true ? undefined : await passphrase(options)
        const objection = given === undefined ? undefined : objectionTo(given)
        if (objection !== undefined) return fail(options, objection, options.passphraseFile === undefined ? exitCodes.usage : exitCodes.configuration)
        const made = await backUp(folderOf(options), file, given, person(options))
        const seal = made.sealed ? 'sealed with the passphrase' : 'not sealed: whoever has it has every key of the gateway'
        print(options, made, `wrote ${made.file} (${made.bytes} bytes, ${seal}); the log in it has ${made.log.size} entries`)
      }),
    )

  as(root.command('restore').description('make an empty data folder from a backup, when all of it is whole; the passphrase comes from standard input'))
    .argument('<file>', 'as "backup" wrote it')
    .option('--passphrase-file <file>', 'read the passphrase from this file, which only its owner can read')
    .option('--head <file>', 'a log.head or checkpoint of the same log that was kept elsewhere; one in the data folder is found')
    .option('--older-is-fine', 'also when a newer state of the log is known: what it says is forgotten')
    .action(async (file: string, options: Locked & { readonly head?: string; readonly olderIsFine?: boolean }) =>
      run(options, async () => {
        const { manifest, lostEntries } = await restore({
          file,
          folder: folderOf(options),
          passphrase: async () => {
            const given = await passphrase(options)
            const objection = objectionTo(given)
            if (objection !== undefined) throw new Fault(objection, 'not-done')
            return given
          },
          head: options.head === undefined ? undefined : await readHead(options.head),
          isOlderFine: options.olderIsFine === true,
          person: person(options),
        })
        const { madeAt, trustDomain, log } = manifest
        print(
          options,
          { kind: 'restored', folder: folderOf(options), madeAt, trustDomain, log, lostEntries },
          restoredText(folderOf(options), manifest, lostEntries),
        )
      }),
    )
}

function restoredText(folder: string, { madeAt, trustDomain, log }: Manifest, lostEntries: number): string {
  return [
    `restored ${folder}: trust domain ${trustDomain}, as of ${madeAt}, ${log.size} entries of the log${lostEntries > 0 ? `, ${lostEntries} fewer than are known` : ''}`,
    `log key  ${log.key}`,
    'What happened after the backup is forgotten:',
    '  quotas count what was used until then, and answers to held calls since are gone;',
    '  agents, certificates and roots revoked or retired since count again, and blocks set since are lifted: repeat them before "sallyport up";',
    '  secrets changed since have their older values, and agents enrolled since must enrol again;',
    '  the log goes on from there: a log.head or checkpoint of a newer state of it convicts it, so tell those who keep one.',
    'Never start the older and the restored gateway both: two logs with one key convict each other.',
  ].join('\n')
}

function objectionTo(passphrase: string): string | undefined {
  if (passphrase.length < passphraseLengthMin) return `the passphrase has fewer than ${passphraseLengthMin} characters`
  return passphrase.length > passphraseLengthMax ? `the passphrase has more than ${passphraseLengthMax} characters` : undefined
}

/** Enough of it to see that it is too long. */
async function readStart(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const piece of stdin) {
    text += String(piece)
    if (text.length > passphraseLengthMax + 2) break
  }
  return text
}

async function readHead(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Fault(`${file} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`, 'not-done', error)
  }
}
