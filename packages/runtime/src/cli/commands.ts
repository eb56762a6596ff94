import type { Command } from 'commander'
import { addAgentCommands } from './agent-commands.ts'
import type { AgentSideIo } from './agent-side-io.ts'
import { addConnectCommand } from './connect-command.ts'

export type { AgentSideIo } from './agent-side-io.ts'
export { exitCodes, type ExitCode } from './exit-code.ts'

/** Adds `connect` to the program and `enroll`, `renew`, `whoami` to its `agent` command. */
export function addAgentSideCommands(parents: { readonly root: Command; readonly agent: Command }, io: AgentSideIo): void {
  addConnectCommand(parents.root, io)
  addAgentCommands(parents.agent, io)
}
