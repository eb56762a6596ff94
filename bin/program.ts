import { addOperatorCommands, outputUsageErrors, type Terminal } from '@sallyport/gateway/cli'
import { addAgentSideCommands, type AgentSideIo } from '@sallyport/runtime/cli'
import { Command } from 'commander'
import { addCompletionCommand } from './completion/completion-command.ts'

export const version = '0.1.0'

/** All commands of both sides as one program. */
export function program(terminal: Terminal & AgentSideIo, args: readonly string[]): Command {
  const root = outputUsageErrors(new Command('sallyport'), terminal, args)
    .configureOutput({ writeOut: (text) => void terminal.stdout.write(text) })
    .description('The two-door gate for AI agents')
    .version(version)
  const agent = root.command('agent').description('agents: register and revoke here, enrol and renew on their own host')
  addOperatorCommands({ root, agent }, terminal)
  addAgentSideCommands({ root, agent }, terminal)
  addCompletionCommand(root, terminal)
  return root
}
