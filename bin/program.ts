import { addOperatorCommands, outputUsageErrors, type Terminal } from '@sallyport/gateway/cli'
import { addAgentSideCommands, type AgentSideIo } from '@sallyport/runtime/cli'
import { addWitnessCommands } from '@sallyport/witness/cli'
import { Command } from 'commander'
import { addCompletionCommand } from './completion/completion-command.ts'
import { examples } from './examples.ts'
import { pathOf } from './outline.ts'

export const version = '0.1.0'

/** All commands of both sides as one program, each with the examples that its help ends with. */
export function program(terminal: Terminal & AgentSideIo, args: readonly string[]): Command {
  const root = outputUsageErrors(new Command('sallyport'), terminal, args)
    .configureOutput({ writeOut: (text) => void terminal.stdout.write(text) })
    .description('The two-door gate for AI agents')
    .version(version)
  const agent = root.command('agent').description('agents: register and revoke here, enrol and renew on their own host')
  addOperatorCommands({ root, agent }, terminal)
  addAgentSideCommands({ root, agent }, terminal)
  addWitnessCommands(root, terminal)
  addCompletionCommand(root, terminal)
  root
    .command('help')
    .description('what a command does, with examples')
    .argument('[command...]', 'such as log search')
    .action((words: readonly string[]) => helpOn(root, words))
  addExamples(root)
  return root
}

function helpOn(root: Command, words: readonly string[]): void {
  let command = root
  for (const word of words) {
    const below = command.commands.find((known) => known.name() === word)
    if (!below) return root.error(`error: there is no command ${words.join(' ')}`, { code: 'commander.unknownCommand' })
    command = below
  }
  command.help()
}

function addExamples(command: Command): void {
  const shown = examples[pathOf(command).join(' ')] ?? []
  if (shown.length > 0) command.addHelpText('after', ['', 'Examples:', ...shown.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`])].join('\n'))
  for (const below of command.commands) addExamples(below)
}
