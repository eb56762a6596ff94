import type { Command } from 'commander'
import { addAgentCommands } from './agent-commands.ts'
import type { AgentSideIo } from './agent-side-io.ts'
import { addConnectClientCommands, addDisconnectCommand } from './client-commands.ts'
import { addConnectCommand } from './connect-command.ts'
import { addSessionCommands } from './session-commands.ts'
import { addTrustCommand } from './trust-command.ts'

export type { AgentSideIo } from './agent-side-io.ts'

/** Adds `connect` and `disconnect` to the program and `enroll`, `renew`, `whoami`, `session` to its `agent` command. */
export function addAgentSideCommands(parents: { readonly root: Command; readonly agent: Command }, io: AgentSideIo): void {
  parents.root.enablePositionalOptions() // what follows "connect CLIENT" belongs to it, not to "connect"
  const connect = addConnectCommand(parents.root, io)
  addTrustCommand(connect, io)
  addConnectClientCommands(connect, io)
  addDisconnectCommand(parents.root, io)
  addAgentCommands(parents.agent, io)
  addSessionCommands(parents.agent, io)
}
