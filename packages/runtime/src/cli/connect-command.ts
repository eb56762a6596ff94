import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { exitCodes, Fault, nameRule, parseUpstreamName } from '@sallyport/contract'
import type { Command } from 'commander'
import { clientNames } from '../clients/client.ts'
import { openBridge } from '../connect/bridge.ts'
import { readOrCreateSecret, type ClientSecret } from '../connect/client-secret.ts'
import { interceptionBy, type Interception } from '../connect/interception/interception.ts'
import { readAuthority } from '../connect/interception/kept-authority.ts'
import { parseLoopbackAddress } from '../connect/loopback-address.ts'
import { runStdioBridge } from '../connect/stdio.ts'
import type { GatewayLink } from '../link/gateway-link.ts'
import { folderOf, openFolderLink, requireIdentity } from './agent-commands.ts'
import { clockOf, type AgentSideIo } from './agent-side-io.ts'
import { CommandFailure } from './command-failure.ts'
import { serveRecorded } from './recorded-bridge.ts'
import { runCommand, type Said } from './run-command.ts'

interface ConnectOptions {
  readonly identity?: string
  readonly stdio?: string | true
  readonly listen: string
  readonly allowOrigin: readonly string[]
  readonly printSecret?: true
  readonly logging?: string
  readonly json?: true
}

/** `connect`: the loopback bridge that holds the agent's key, for clients that cannot. */
export function addConnectCommand(parent: Command, io: AgentSideIo): Command {
  return parent
    .command('connect')
    .description('reach the gateway from any MCP client (stdio, HTTP) or HTTP program (as its proxy) on this machine')
    .option('--identity <dir>', "the agent's identity (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)")
    .option('--stdio [upstream]', 'speak MCP on standard input and output, with one upstream or with all together')
    .option('--listen <address>', 'loopback address and port of the bridge', '127.0.0.1:8787')
    .option('--allow-origin <origin>', 'let pages of this exact origin use the bridge from a browser; may be repeated', collect, [])
    .option('--logging <file>', 'where what the bridge sees is recorded, in JSON (default: logging.json beside the identity, if it is there)')
    .option('--print-secret', "print the bridge's client secret and end")
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit codes: 0 ok, 1 error, 2 approval needed, 3 denied, 64 usage, 78 configuration. More: docs/connect.md')
    .allowExcessArguments() // to say which clients there are
    .action((options: ConnectOptions, { args: [client] }: Command) => runCommand(io, options.json === true, () => runConnect(io, options, client)))
}

async function runConnect(io: AgentSideIo, options: ConnectOptions, client: string | undefined): Promise<Said | undefined> {
  if (client !== undefined) throw new CommandFailure(exitCodes.usage, `there is no client ${JSON.stringify(client)}: it is one of ${clientNames.join(', ')}`)
  const directory = folderOf(io, options)
  await requireIdentity(directory)
  if (options.printSecret) {
    const secret = await usableSecret(directory)
    return { text: secret, json: { secret } }
  }
  if (options.stdio !== undefined) return await serveStdio(io, directory, options.stdio, options.logging)
  return await serveBridge(io, directory, options)
}

async function serveStdio(io: AgentSideIo, directory: string, upstream: string | true, logging: string | undefined): Promise<undefined> {
  if (upstream !== true && parseUpstreamName(upstream) === undefined) {
    throw new CommandFailure(exitCodes.usage, `${JSON.stringify(upstream)} is no name of an upstream: ${nameRule}`)
  }
  const link = await openFolderLink(io, directory)
  const { stdin, stdout, stderr, stop } = io
  try {
    if (upstream !== true) await requireMcpUpstream(link, upstream)
    const named = upstream !== true && { upstream }
    await serveRecorded(io, directory, logging, link, { mode: 'stdio', ...named }, (recorded) =>
      runStdioBridge({ link: recorded.link, ...named, stdin, stdout, stderr, clock: clockOf(io), stop, newId: randomUUID }),
    )
  } finally {
    await link.close()
  }
}

const spoken = {
  http: (name: string) => ({ kind: 'an HTTP upstream', place: `/http/${name}/` }),
  llm: (name: string) => ({ kind: 'a language model', place: `/llm/${name}/v1` }),
  a2a: (name: string) => ({ kind: 'an agent', place: `/a2a/${name}` }),
} as const

/** A client would see no more than a server without tools. When the gateway cannot be asked now, the conversation says so message by message. */
async function requireMcpUpstream(link: GatewayLink, name: string): Promise<void> {
  const asked = await link.catalog().catch((error: unknown) => {
    if (error instanceof Fault) return undefined
    throw error
  })
  if (asked?.kind !== 'catalog') return
  const { upstreams } = asked.catalog
  const found = upstreams.find((upstream) => upstream.name === name)
  if (found?.protocol === 'mcp') return
  if (found) {
    const { kind, place } = spoken[found.protocol](name)
    throw new CommandFailure(
      exitCodes.configuration,
      `${name} is ${kind}, which does not speak MCP: run "sallyport connect" and use http://127.0.0.1:8787${place}`,
    )
  }
  const others = upstreams.filter(({ protocol }) => protocol === 'mcp').map((upstream) => upstream.name)
  const offered = others.length > 0 ? `it offers ${others.join(', ')}` : 'it offers none'
  throw new CommandFailure(exitCodes.configuration, `the gateway offers this agent no MCP upstream ${name}; ${offered}`)
}

async function serveBridge(io: AgentSideIo, directory: string, { listen, allowOrigin, json, logging }: ConnectOptions): Promise<undefined> {
  const address = parseLoopbackAddress(listen)
  if (!address) {
    throw new CommandFailure(
      exitCodes.usage,
      `${JSON.stringify(listen)} is no loopback address with a port: whoever reaches the bridge acts as the agent. Use 127.0.0.1:8787.`,
    )
  }
  const wrong = allowOrigin.find((origin) => !isOrigin(origin))
  if (wrong !== undefined) throw new CommandFailure(exitCodes.usage, `${JSON.stringify(wrong)} is no origin such as http://localhost:6274`)
  const clientSecret = await usableSecret(directory)
  const interception = await interceptionOf(io, directory)
  const link = await openFolderLink(io, directory)
  try {
    const report = (failure: unknown): void => void io.stderr.write(`sallyport connect: ${failure instanceof Error ? failure.stack : String(failure)}\n`)
    await serveRecorded(io, directory, logging, link, { mode: 'http', listen }, async (recorded) => {
      const clock = clockOf(io)
      const bridge = await openBridge({
        ...recorded,
        listen: address,
        clientSecret,
        allowedOrigins: allowOrigin,
        interception,
        clock,
        newId: randomUUID,
        report,
      })
      try {
        const { url, port } = bridge
        const secretFile = join(directory, 'connect.secret')
        const said =
          json === true
            ? JSON.stringify({ url, mcp: `${url}/mcp`, proxy: url, port, secretFile, intercepts: interception !== undefined })
            : greeting(url, secretFile, interception !== undefined)
        io.stdout.write(`${said}\n`)
        await aborted(io.stop)
      } finally {
        await bridge.close()
      }
    })
  } finally {
    await link.close()
  }
}

async function usableSecret(directory: string): Promise<ClientSecret> {
  try {
    return await readOrCreateSecret(directory, randomBytes)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new CommandFailure(exitCodes.configuration, error.message)
  }
}

/** TLS in tunnels ends at the bridge once "connect trust" was run. */
async function interceptionOf(io: AgentSideIo, directory: string): Promise<Interception | undefined> {
  try {
    const authority = await readAuthority(directory)
    return authority && interceptionBy(authority, io, randomBytes)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new CommandFailure(exitCodes.configuration, error.message)
  }
}

function greeting(url: string, secretFile: string, isIntercepting: boolean): string {
  const proxy = url.replace('http://', 'http://sallyport:SECRET@')
  return [
    `Bridge to the gateway at ${url} (this machine only). Ctrl-C ends it.`,
    `  MCP clients       ${url}/mcp  or  ${url}/mcp/UPSTREAM   with "Authorization: Bearer SECRET"`,
    `  HTTP programs     ${url}/http/UPSTREAM/PATH             with "X-Sallyport-Secret: SECRET"`,
    `  language models   ${url}/llm/UPSTREAM/v1                with SECRET as the API key`,
    `  as HTTP proxy     HTTP_PROXY=${proxy}`,
    ...(isIntercepting ? [`  for https:// too  HTTPS_PROXY=${proxy}`] : []),
    `SECRET is in ${secretFile}, or: sallyport connect --print-secret`,
  ].join('\n')
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
