import { resolve } from 'node:path'
import { exitCodes, nameRule, parseUpstreamName, type JsonObject } from '@sallyport/contract'
import type { Command } from 'commander'
import { applyPlanned, planFor, type Planned } from '../clients/apply-change.ts'
import { clients, type Client } from '../clients/client.ts'
import { lineDiff } from '../clients/line-diff.ts'
import type { Entries } from '../clients/plan-change.ts'
import { secretVariable, type Reach } from '../clients/server-entry.ts'
import { parseLoopbackAddress } from '../connect/loopback-address.ts'
import { folderOf, openFolderLink, refusal, requireIdentity } from './agent-commands.ts'
import type { AgentSideIo } from './agent-side-io.ts'
import { confirmed } from './confirmed.ts'
import { defaultIdentityFolder } from './default-folder.ts'
import { CommandFailure } from './command-failure.ts'
import { runCommand, type Said } from './run-command.ts'

interface PlaceOptions {
  readonly identity?: string
  readonly project?: string | true
  readonly file?: string
  readonly home?: string
  readonly yes?: true
  readonly json?: true
}

interface ConnectClientOptions extends PlaceOptions {
  readonly http?: string | true
  readonly upstream: readonly string[]
  readonly each?: true
  readonly program?: string
  readonly write?: true
}

/** `connect CLIENT`: what a client's configuration must say to reach the gateway, printed or written. */
export function addConnectClientCommands(connect: Command, io: AgentSideIo): void {
  connect.enablePositionalOptions()
  for (const client of Object.values(clients)) {
    placed(connect.command(client.name))
      .description(`let ${client.title} reach the gateway: print what its configuration must say, or write it`)
      .option('--http [address]', 'through a bridge that runs, at this loopback address (default: 127.0.0.1:8787); otherwise the client starts its own')
      .option('--upstream <name>', 'one MCP upstream, its tools unrenamed, in place of all together; may be repeated', collect, [])
      .option('--each', 'every MCP upstream that the gateway offers this agent, one by one')
      .option('--program <command>', 'how the client starts sallyport (default: this very program, by its absolute path)')
      .option('--write', 'write it: shows what changes and asks')
      .action((options: ConnectClientOptions) => runCommand(io, options.json === true, () => connectClient(io, client, options)))
  }
}

/** `disconnect CLIENT`: takes out again what `connect CLIENT --write` has written. */
export function addDisconnectCommand(parent: Command, io: AgentSideIo): void {
  const disconnect = parent.command('disconnect').description('take out of a client what "connect CLIENT --write" has written')
  for (const client of Object.values(clients)) {
    placed(disconnect.command(client.name))
      .description(`undo what was written for ${client.title}`)
      .action((options: PlaceOptions) => runCommand(io, options.json === true, () => disconnectClient(io, client, options)))
  }
}

function placed(command: Command): Command {
  return command
    .option('--identity <dir>', "the agent's identity (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)")
    .option('--project [dir]', "the configuration of a project (default: this folder), not the user's own")
    .option('--file <path>', 'this configuration file')
    .option('--home <dir>', 'the home folder in which to look')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON; asks nothing')
}

async function connectClient(io: AgentSideIo, client: Client, options: ConnectClientOptions): Promise<Said> {
  const directory = resolve(folderOf(io, options))
  await requireIdentity(directory)
  const file = fileOf(io, client, options)
  const reaches = await reachesOf(io, directory, options)
  const entries = new Map([...reaches].map(([name, reach]) => [name, client.entry(reach)]))
  const planned = await planFor(directory, client, file, entries)
  if (!options.write) return instructions(client, file, entries, reaches, planned, options)
  const outcome = await carryOut(io, directory, client, planned, options)
  const more = [nextSteps(client, options.http !== undefined)]
  return { text: [outcome.text, ...more].join('\n'), json: { ...outcome.json, servers: [...entries.keys()] } }
}

async function disconnectClient(io: AgentSideIo, client: Client, options: PlaceOptions): Promise<Said> {
  const directory = resolve(folderOf(io, options))
  await requireIdentity(directory)
  const planned = await planFor(directory, client, fileOf(io, client, options), new Map())
  const { text, json } = await carryOut(io, directory, client, planned, options)
  return { text, json: { ...json, servers: [] } }
}

async function carryOut(
  io: AgentSideIo,
  directory: string,
  client: Client,
  planned: Planned,
  { yes, json }: PlaceOptions,
): Promise<{ readonly text: string; readonly json: JsonObject }> {
  const { read, change } = planned
  if (change.kind === 'refused') throw new CommandFailure(exitCodes.configuration, `${read.path} stays as it is: ${change.reason}`)
  const said = { client: client.name, file: read.path }
  const backup = `${read.path}.before-sallyport-${new Date(io.now()).toISOString().replaceAll(/[-:.]/g, '')}`
  if (change.kind === 'unchanged') {
    await applyPlanned(directory, client, planned, backup)
    return { text: `${read.path} is as it should be; nothing was written.`, json: { ...said, changed: false } }
  }
  const diff = lineDiff(read.path, read.text ?? '', change.text ?? '')
  if (!yes) {
    if (json) throw new CommandFailure(exitCodes.usage, 'nothing was written: with --json nobody is asked, so add --yes')
    io.stderr.write(`${diff}\n`)
    if (!(await confirmed(io, change.text === undefined ? `Remove ${read.path}?` : `Write ${read.path}?`))) {
      throw new CommandFailure(exitCodes.error, 'nothing was written')
    }
  }
  await applyPlanned(directory, client, planned, backup)
  const kept = read.text === undefined ? {} : { backup }
  const lines = [...(yes ? [diff] : []), `${change.text === undefined ? 'Removed' : 'Wrote'} ${read.path}`]
  return {
    text: [...lines, ...(read.text === undefined ? [] : [`what was there is in ${backup}`])].join('\n'),
    json: { ...said, changed: true, diff, ...kept },
  }
}

function instructions(
  client: Client,
  file: string,
  entries: Entries,
  reaches: ReadonlyMap<string, Reach>,
  { change }: Planned,
  options: ConnectClientOptions,
): Said {
  const own = [...reaches].flatMap(([name, reach]) => {
    const words = client.ownCommand(name, reach)
    return words ? [words.map(quoted).join(' ')] : []
  })
  const snippet = client.format.snippet(entries)
  const isHttp = [...reaches.values()].some(({ kind }) => kind === 'http')
  const state = change.kind === 'refused' ? [`"--write" would not touch it: ${change.reason}.`] : change.kind === 'unchanged' ? ['It says so already.'] : []
  const text = [
    `${client.title} reads ${file}. It must say:`,
    '',
    snippet,
    ...state,
    ...(own.length > 0 ? [`The same by ${client.title}'s own command:`, ...own.map((line) => `  ${line}`)] : []),
    `Or let it be written: ${['sallyport', 'connect', client.name, ...given(options), '--write'].map(quoted).join(' ')}`,
    nextSteps(client, isHttp),
  ]
  return {
    text: text.join('\n'),
    json: {
      client: client.name,
      file,
      servers: Object.fromEntries(entries),
      snippet,
      commands: own,
      state: change.kind === 'changed' ? 'missing' : change.kind,
    },
  }
}

/** The options of a command line that bear on what is written. */
function given({ identity, project, file, home, http, upstream, each, program, yes }: ConnectClientOptions): readonly string[] {
  const option = (name: string, value: string | true | undefined): readonly string[] => (value === undefined ? [] : value === true ? [name] : [name, value])
  return [
    ...option('--identity', identity),
    ...option('--project', project),
    ...option('--file', file),
    ...option('--home', home),
    ...option('--http', http),
    ...upstream.flatMap((name) => option('--upstream', name)),
    ...option('--each', each),
    ...option('--program', program),
    ...option('--yes', yes),
  ]
}

function nextSteps({ title, check }: Client, isHttp: boolean): string {
  const bridge = [
    'Keep "sallyport connect" running, and start the client with its secret in the environment:',
    `  export ${secretVariable}="$(sallyport connect --print-secret)"`,
  ]
  return [...(isHttp ? bridge : []), `Restart ${title}, then see that it worked: ${check}`].join('\n')
}

async function reachesOf(io: AgentSideIo, directory: string, options: ConnectClientOptions): Promise<ReadonlyMap<string, Reach>> {
  const wrong = options.upstream.find((name) => parseUpstreamName(name) === undefined)
  if (wrong !== undefined) throw new CommandFailure(exitCodes.usage, `${JSON.stringify(wrong)} is no name of an upstream: ${nameRule}`)
  const upstreams = options.each ? await mcpUpstreams(io, directory) : options.upstream
  const reach = reachOf(io, directory, options)
  if (upstreams.length === 0) return new Map([['sallyport', reach(undefined)]])
  return new Map(upstreams.map((upstream) => [`sallyport-${upstream}`, reach(upstream)]))
}

async function mcpUpstreams(io: AgentSideIo, directory: string): Promise<readonly string[]> {
  const link = await openFolderLink(io, directory)
  try {
    const answered = await link.catalog()
    if (answered.kind === 'refused') throw refusal(answered.problem)
    const names = answered.catalog.upstreams.filter(({ protocol }) => protocol === 'mcp').map(({ name }) => name)
    if (names.length === 0) throw new CommandFailure(exitCodes.configuration, 'the gateway offers this agent no MCP upstream: no rule lets it reach one')
    return names
  } finally {
    await link.close()
  }
}

function reachOf(io: AgentSideIo, directory: string, { http, program }: ConnectClientOptions): (upstream: string | undefined) => Reach {
  if (http !== undefined) {
    const address = parseLoopbackAddress(http === true ? '127.0.0.1:8787' : http)
    if (!address || address.port === 0)
      throw new CommandFailure(exitCodes.usage, `${JSON.stringify(http)} is no loopback address with a port, such as 127.0.0.1:8787`)
    const origin = `http://${address.host === '::1' ? '[::1]' : address.host}:${address.port}`
    return (upstream) => ({ kind: 'http', url: upstream === undefined ? `${origin}/mcp` : `${origin}/mcp/${upstream}` })
  }
  const [command = 'sallyport', ...before] = program === undefined ? io.program : [program]
  const { SALLYPORT_IDENTITY: _ignored, ...env } = io.env
  const identity = directory === resolve(defaultIdentityFolder(env)) ? [] : ['--identity', directory]
  return (upstream) => ({
    kind: 'stdio',
    command,
    args: [...before, 'connect', ...identity, '--stdio', ...(upstream === undefined ? [] : [upstream])],
  })
}

function fileOf({ env }: AgentSideIo, client: Client, { file, home, project }: PlaceOptions): string {
  if (file !== undefined) return resolve(file)
  const base = home ?? env['HOME'] ?? env['USERPROFILE']
  if (base === undefined || base === '') throw new CommandFailure(exitCodes.usage, 'there is no $HOME: name the file with --file')
  const folder = project === true ? '.' : project
  const found = client.file({ home: resolve(base), env: home === undefined ? env : {}, ...(folder !== undefined && { project: resolve(folder) }) })
  if (found === undefined) throw new CommandFailure(exitCodes.usage, `${client.title} has no configuration of a project`)
  return found
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
