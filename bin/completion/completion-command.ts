import { completableNames, type Terminal } from '@sallyport/gateway/cli'
import { Argument, type Command } from 'commander'
import { nameKinds, outlineOf, type NameKind } from '../outline.ts'
import { bashCompletion } from './bash.ts'
import { fishCompletion } from './fish.ts'
import { zshCompletion } from './zsh.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
type Shell = keyof typeof scripts

/** `completion`, and the hidden command by which its scripts ask for names. */
export function addCompletionCommand(root: Command, { stdout, env }: Pick<Terminal, 'stdout' | 'env'>): void {
  root
    .command('completion')
    .description('a script that teaches a shell the commands and options of this program')
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(scripts)))
    .action((shell: Shell) => void stdout.write(scripts[shell](outlineOf(root))))
  root
    .command('completable-names', { hidden: true })
    .addArgument(new Argument('<kind>').choices(nameKinds))
    .option('-c, --config <file>', '', env['SALLYPORT_CONFIG'] ?? 'sallyport.yaml')
    .option('--data <folder>', '', env['SALLYPORT_DATA'])
    .action(async (kind: NameKind, { config, data }: { readonly config: string; readonly data?: string }) => {
      for (const name of await completableNames(kind, config, data)) stdout.write(`${name}\n`)
    })
}
