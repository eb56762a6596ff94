import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { durationMs, sizeBytes, type McpStdioUpstreamConfiguration } from '@sallyport/contract'

/** How to run the server of one upstream. */
export interface StdioServerSettings {
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** Environment variables by the names of the secrets that fill them. */
  readonly secrets: Readonly<Record<string, string>>
  readonly directory: string | undefined
  readonly serverRequests: ReadonlySet<string>
  readonly messageBytesMax: number
  readonly startDeadlineMs: number
  readonly requestDeadlineMs: number
  readonly idleMs: number
}

const messageBytesMaxDefault = 8 * 1024 * 1024
const startDeadlineMsDefault = 30_000
const requestDeadlineMsDefault = 600_000
const idleMsDefault = 900_000

export interface CommandNotFound {
  readonly kind: 'not-found'
  readonly program: string
}

/**
 * Compiles the configuration of a stdio upstream. The program is found now, on `searchPath`, because the child gets no PATH to find it by.
 *
 * @param searchPath as in the PATH of the gateway's own environment
 */
export function stdioServerSettings(given: McpStdioUpstreamConfiguration, searchPath: string): StdioServerSettings | CommandNotFound {
  const [program = '', ...args] = given.command
  const file = findProgram(program, searchPath)
  if (file === undefined) return { kind: 'not-found', program }
  const { deadlines } = given
  return {
    command: [file, ...args],
    env: given.env ?? {},
    secrets: given.secrets ?? {},
    directory: given.directory,
    serverRequests: new Set(given.serverRequests),
    messageBytesMax: given.answerBytesMax === undefined ? messageBytesMaxDefault : sizeBytes(given.answerBytesMax),
    startDeadlineMs: deadlines?.connect === undefined ? startDeadlineMsDefault : durationMs(deadlines.connect),
    requestDeadlineMs: deadlines?.total === undefined ? requestDeadlineMsDefault : durationMs(deadlines.total),
    idleMs: given.idle === undefined ? idleMsDefault : durationMs(given.idle),
  }
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

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
