import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { durationMs, sizeBytes, type McpStdioUpstreamConfiguration } from '@sallyport/contract'
import { messageBytesMaxDefault } from '../../access/mcp/mcp-upstream.ts'

/** What keeps a program from the gateway's keys, its admin socket and everything else that the gateway's user may do. */
export type Sandbox =
  /** Nothing does. */
  | { readonly kind: 'none' }
  /** Another user of this system; the gateway must be root to start a program as one. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  /** Namespaces of its own: a read-only view of the system without homes, temporary files and sockets, and no network unless told. */
  | {
      readonly kind: 'bubblewrap'
      /** The absolute path of bwrap. */
      readonly bwrap: string
      readonly network: boolean
      readonly readable: readonly string[]
      readonly writable: readonly string[]
    }

/** How to run the server of one upstream. */
export interface StdioServerSettings {
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** Environment variables by the names of the secrets that fill them. */
  readonly secrets: Readonly<Record<string, string>>
  readonly directory: string | undefined
  readonly sandbox: Sandbox
  readonly serverRequests: ReadonlySet<string>
  readonly messageBytesMax: number
  readonly startDeadlineMs: number
  readonly requestDeadlineMs: number
  readonly idleMs: number
}

const startDeadlineMsDefault = 30_000
const requestDeadlineMsDefault = 600_000
const idleMsDefault = 900_000

export interface SettingsFault {
  readonly kind: 'fault'
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

/**
 * Compiles the configuration of a stdio upstream. The program is found now, on `searchPath`, because the child gets no PATH to find it by.
 *
 * @param searchPath as in the PATH of the gateway's own environment
 * @param folder what the paths of the configuration are relative to
 */
export function stdioServerSettings(given: McpStdioUpstreamConfiguration, searchPath: string, folder: string): StdioServerSettings | SettingsFault {
  const [program = '', ...args] = given.command
  const file = findProgram(program, searchPath)
  if (file === undefined) {
    return fault(['command', 0], `there is no program ${program}`, hintAbout(program))
  }
  const directory = given.directory === undefined ? undefined : realFolder(resolve(folder, given.directory))
  if (given.directory !== undefined && directory === undefined) return fault(['directory'], `there is no folder ${given.directory}`)
  const sandbox = sandboxOf(given, searchPath, folder)
  if (sandbox.kind === 'fault') return sandbox
  const { deadlines } = given
  return {
    command: [file, ...args],
    env: given.env ?? {},
    secrets: given.secrets ?? {},
    directory,
    sandbox,
    serverRequests: new Set(given.serverRequests),
    messageBytesMax: given.answerBytesMax === undefined ? messageBytesMaxDefault : sizeBytes(given.answerBytesMax),
    startDeadlineMs: deadlines?.connect === undefined ? startDeadlineMsDefault : durationMs(deadlines.connect),
    requestDeadlineMs: deadlines?.total === undefined ? requestDeadlineMsDefault : durationMs(deadlines.total),
    idleMs: given.idle === undefined ? idleMsDefault : durationMs(given.idle),
  }
}

function sandboxOf(given: McpStdioUpstreamConfiguration, searchPath: string, folder: string): Sandbox | SettingsFault {
  const { sandbox = 'bubblewrap', network = false, readable = [], writable = [] } = given
  if (sandbox !== 'bubblewrap') {
    const [idle] = (['network', 'readable', 'writable'] as const).filter((field) => given[field] !== undefined)
    if (idle !== undefined) return fault([idle], `${idle} has no effect without sandbox: bubblewrap`, 'remove it')
    return sandbox === 'none' ? { kind: 'none' } : userSandbox(sandbox.slice('user:'.length))
  }
  const bwrap = findProgram('bwrap', searchPath)
  if (bwrap === undefined) {
    const message = 'this program would run in a sandbox, and bubblewrap is not installed'
    return fault(['command'], message, 'install bubblewrap, or write sandbox: none and trust the program with every key of the gateway')
  }
  const places = { readable, writable }
  const found: { readable: string[]; writable: string[] } = { readable: [], writable: [] }
  for (const field of ['readable', 'writable'] as const) {
    for (const [index, text] of places[field].entries()) {
      const real = realPath(resolve(folder, text))
      if (real === undefined) return fault([field, index], `there is no file or folder ${text}`)
      found[field].push(real)
    }
  }
  return { kind: 'bubblewrap', bwrap, network, ...found }
}

function userSandbox(name: string): Sandbox | SettingsFault {
  const own = process.getuid?.()
  if (own === undefined) return fault(['sandbox'], 'this system has no users that a program could run as')
  const user = findUser(name)
  if (!user) return fault(['sandbox'], `there is no user ${name} in /etc/passwd`)
  if (user.uid === own || user.uid === 0) return fault(['sandbox'], `${name} can do what the gateway can`, 'make a user that owns nothing else')
  if (own !== 0) return fault(['sandbox'], 'only a gateway that runs as root can start a program as another user', 'use sandbox: bubblewrap')
  return { kind: 'user', ...user }
}

/** By name or number. @see passwd(5) */
function findUser(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const fields = lines.map((line) => line.split(':')).find(([known, , uid]) => known === name || uid === name)
  if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  return /^[0-9]+$/.test(name) ? { uid: Number(name), gid: Number(name) } : undefined
}

function findProgram(program: string, searchPath: string): string | undefined {
  if (isAbsolute(program)) return isProgram(program) ? program : undefined
  if (program.includes('/')) return undefined // relative to what? the child runs in a folder of its own
  return searchPath
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, program))
    .find(isProgram)
}

function hintAbout(program: string): string {
  if (isAbsolute(program)) return 'install it, correct the path, or let the user of the gateway execute it'
  return program.includes('/')
    ? 'name it absolutely: it is started in a folder of its own'
    : 'name it absolutely, or by a name that is on the PATH of the gateway'
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function realFolder(path: string): string | undefined {
  const real = realPath(path)
  return real !== undefined && statSync(real).isDirectory() ? real : undefined
}

/** Without symbolic links; undefined when nothing is there. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function fault(path: SettingsFault['path'], message: string, hint?: string): SettingsFault {
  return { kind: 'fault', path, message, ...(hint !== undefined && { hint }) }
}
