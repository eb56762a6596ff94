import { resolve } from 'node:path'
import type { Command } from 'commander'
import { writeNewFile } from '../../control/backup/new-file.ts'
import { exitCodes, wholeNumber, type Common, type OperatorConsole } from '../operator-console.ts'
import { gather } from './gather.ts'

const entriesMax = 10_000

/** `support-bundle`. */
export function addSupportCommand(root: Command, { common, run, print, folderOf }: OperatorConsole): void {
  common(root.command('support-bundle').description('what helps others to find a fault, in one JSON file without keys, secrets, arguments or texts of agents'))
    .argument('<file>', 'what to write; nothing is replaced')
    .option('--entries <count>', 'newest entries of the log, by their shape', wholeNumber(0, entriesMax), 200)
    .option('--anonymous', 'agents, tenants and persons under pseudonyms')
    .action(async (file: string, options: Common & { readonly entries: number; readonly anonymous?: boolean }) =>
      run(
        options,
        async () => {
          const bundle = await gather({
            configurationFile: resolve(options.config),
            folder: folderOf(options),
            entries: options.entries,
            isAnonymous: options.anonymous === true,
          })
          const bytes = await writeNewFile(resolve(file), textOf(bundle))
          print(options, { kind: 'written', file: resolve(file), bytes }, `wrote ${resolve(file)} (${bytes} bytes): read it before you send it`)
        },
        exitCodes.configuration,
      ),
    )
}

async function* textOf(bundle: object): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(bundle, null, 2)}\n`)
}
