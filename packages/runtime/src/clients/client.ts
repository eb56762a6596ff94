import { join } from 'node:path'
import { jsonFormat } from './json-format.ts'
import type { ConfigurationFormat } from './configuration-format.ts'
import { secretVariable, type Reach, type ServerEntry } from './server-entry.ts'
import { tomlFormat } from './toml-format.ts'

export const clientNames = ['claude-code', 'codex', 'cursor', 'openclaw'] as const
export type ClientName = (typeof clientNames)[number]

export interface Surroundings {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of a project whose own configuration is meant, not the user's. */
  readonly project?: string
}

/** A program that speaks MCP, and where and how it wants to be told about a server. */
export interface Client {
  readonly name: ClientName
  readonly title: string
  readonly format: ConfigurationFormat
  /** Absolute; undefined where the client has no configuration of a project. */
  file(surroundings: Surroundings): string | undefined
  entry(reach: Reach): ServerEntry
  /** The words of the client's own command that does the same for the user. */
  ownCommand(name: string, reach: Reach): readonly string[] | undefined
  /** How to see that it worked. */
  readonly check: string
}

/**
 * What each client documents, and its released program was seen to do (Claude Code 2.1.197, Codex 0.169.0):
 *
 * | client | page |
 * |---|---|
 * | Claude Code | https://code.claude.com/docs/en/mcp |
 * | Codex | https://developers.openai.com/codex/mcp, https://developers.openai.com/codex/config-reference |
 * | Cursor | https://cursor.com/docs/mcp |
 * | OpenClaw | https://docs.openclaw.ai/cli/mcp, https://docs.openclaw.ai/gateway/configuration-reference, https://docs.openclaw.ai/help/environment |
 */
export const clients: Readonly<Record<ClientName, Client>> = {
  'claude-code': {
    name: 'claude-code',
    title: 'Claude Code',
    format: jsonFormat({ path: ['mcpServers'], areCommentsAllowed: false }),
    file: ({ home, env, project }) => (project === undefined ? join(given(env['CLAUDE_CONFIG_DIR']) ?? home, '.claude.json') : join(project, '.mcp.json')),
    entry: (reach) =>
      reach.kind === 'stdio'
        ? { type: 'stdio', command: reach.command, args: reach.args, env: {} }
        : { type: 'http', url: reach.url, headers: { Authorization: `Bearer \${${secretVariable}}` } },
    ownCommand: (name, reach) => ['claude', 'mcp', 'add-json', '--scope', 'user', name, JSON.stringify(clients['claude-code'].entry(reach))],
    check: 'claude mcp list',
  },
  codex: {
    name: 'codex',
    title: 'Codex',
    format: tomlFormat('mcp_servers'),
    file: ({ home, env, project }) =>
      project === undefined ? join(given(env['CODEX_HOME']) ?? join(home, '.codex'), 'config.toml') : join(project, '.codex', 'config.toml'),
    entry: (reach) => (reach.kind === 'stdio' ? { command: reach.command, args: reach.args } : { url: reach.url, bearer_token_env_var: secretVariable }),
    ownCommand: (name, reach) =>
      reach.kind === 'stdio'
        ? ['codex', 'mcp', 'add', name, '--', reach.command, ...reach.args]
        : ['codex', 'mcp', 'add', name, '--url', reach.url, '--bearer-token-env-var', secretVariable],
    check: 'codex mcp list',
  },
  cursor: {
    name: 'cursor',
    title: 'Cursor',
    format: jsonFormat({ path: ['mcpServers'], areCommentsAllowed: true }),
    file: ({ home, project }) => join(project ?? home, '.cursor', 'mcp.json'),
    entry: (reach) =>
      reach.kind === 'stdio'
        ? { command: reach.command, args: reach.args }
        : { url: reach.url, headers: { Authorization: `Bearer \${env:${secretVariable}}` } },
    ownCommand: () => undefined,
    check: 'Cursor Settings, MCP',
  },
  openclaw: {
    name: 'openclaw',
    title: 'OpenClaw',
    format: jsonFormat({ path: ['mcp', 'servers'], areCommentsAllowed: true }),
    file: ({ home, env, project }) =>
      project === undefined
        ? (given(env['OPENCLAW_CONFIG_PATH']) ??
          join(given(env['OPENCLAW_STATE_DIR']) ?? join(given(env['OPENCLAW_HOME']) ?? home, '.openclaw'), 'openclaw.json'))
        : undefined,
    entry: (reach) =>
      reach.kind === 'stdio'
        ? { command: reach.command, args: reach.args }
        : { url: reach.url, transport: 'streamable-http', headers: { Authorization: `Bearer \${${secretVariable}}` } },
    ownCommand: (name, reach) => ['openclaw', 'mcp', 'set', name, JSON.stringify(clients.openclaw.entry(reach))],
    check: 'openclaw mcp probe',
  },
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
