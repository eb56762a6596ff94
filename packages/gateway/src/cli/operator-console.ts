import { dirname, join, resolve } from 'node:path'
import { userInfo } from 'node:os'
import {
  commandError,
  describeSystemError,
  exitCodeOf,
  exitCodes,
  Fault,
  parseAgentName,
  parseTenantName,
  problems,
  type ErrorMembers,
} from '@sallyport/contract'
import { InvalidArgumentError, type Command } from 'commander'
import { dataFolder } from '../control/data-folder.ts'
import type { AgentKey } from '../control/authority/agent-store.ts'
import { askGateway, type AdminAnswer } from './admin-client.ts'
import { printable } from '../printable.ts'
import { shownJson } from './show.ts'

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the user or the system asks the program to end. */
  readonly stop: AbortSignal
  readonly exit: (code: number) => void
}

export { exitCodes } from '@sallyport/contract'

/** The options of every operator command. */
export interface Common {
  readonly config: string
  readonly data?: string
  readonly json?: boolean
  readonly full?: boolean
}

/** Of those that change something. */
export type Acting = Common & { readonly as?: string }

/** What the commands of the operator have in common: their options, their place, how they print, ask and fail. */
export class OperatorConsole {
  readonly #terminal: Terminal

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  readonly common = (command: Command): Command =>
    command
      .option('-c, --config <file>', 'the configuration', this.#terminal.env['SALLYPORT_CONFIG'] ?? 'sallyport.yaml')
      .option('--data <folder>', 'the data folder (default: .sallyport beside the configuration)')
      .option('--json', 'print JSON')

  readonly as = (command: Command): Command => this.common(command).option('--as <person>', 'who acts (default: the user of this system)')

  /** For what agents may have written: a terminal gets it shortened. */
  readonly shows = (command: Command): Command => this.common(command).option('--full', 'long texts and lists whole, also on a terminal')

  readonly folderOf = ({ data, config }: Common): string => resolve(data ?? this.#terminal.env['SALLYPORT_DATA'] ?? join(dirname(config), '.sallyport'))

  readonly person = ({ as }: Acting): string => as ?? this.#terminal.env['SALLYPORT_PERSON'] ?? userInfo().username

  readonly print = (options: Common, value: unknown, text?: string): void => {
    if (options.json === true || text === undefined) this.#write(shownJson(value, { isFull: this.isFull(options) }))
    else this.#write(printable(text))
  }

  /** `text`: the same for a person. */
  readonly printLine = (options: Common, value: unknown, text: string): void =>
    this.#write(options.json === true ? shownJson(value, { isFull: true, isLine: true }) : printable(text))

  readonly warn = (warnings: readonly string[]): void => {
    for (const text of warnings) this.#terminal.stderr.write(`sallyport: warning: ${printable(text)}\n`)
  }

  /** `members`: of a problem that the gateway gave, or what the command documents; only `--json` shows those but the code. */
  readonly fail = ({ json }: Common, message: string, exitCode: number = exitCodes.error, members: ErrorMembers = {}): void => {
    const code = members.code === undefined ? '' : ` (${members.code})`
    const said = json === true ? shownJson(commandError(exitCode, message, members), { isFull: true, isLine: true }) : `sallyport: ${printable(message)}${code}`
    this.#terminal.stderr.write(`${said}\n`)
    this.#terminal.exit(exitCode)
  }

  /** Runs a command; a failed dependency becomes one clear line. */
  readonly run = async (options: Common, work: () => Promise<void>, exitCode: number = exitCodes.error): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (error instanceof Fault) return this.fail(options, error.message, exitCode, error.outcome === 'unknown' ? { outcome: error.outcome } : {})
      const refusedBySystem = describeSystemError(error)
      if (refusedBySystem === undefined) throw error
      this.fail(options, refusedBySystem, exitCodes.configuration)
    }
  }

  /** Asks the running gateway of the folder. `text`: its answer for a person. */
  readonly ask = async (options: Common, act: string, input: object, text?: (value: unknown) => string): Promise<void> =>
    this.tell(options, await askGateway(dataFolder(this.folderOf(options)).adminSocket, act, input), text)

  readonly tell = (options: Common, answer: AdminAnswer, text?: (value: unknown) => string): void => {
    switch (answer.kind) {
      case 'done':
        return this.print(options, answer.value, options.json === true ? undefined : text?.(answer.value))
      case 'refused': {
        const { code, detail } = answer.problem
        return this.fail(options, detail ?? problems[code].title, exitCodeOf(code), { ...answer.problem })
      }
      case 'unreachable':
        return this.fail(options, whyNoAnswer(this.folderOf(options), answer.code))
    }
  }

  /** Whether long texts are shown whole. */
  readonly isFull = ({ full, json }: Common): boolean => full === true || json === true || this.#terminal.stdout.isTTY !== true

  #write(text: string): void {
    this.#terminal.stdout.write(`${text}\n`)
  }
}

/** @param code of the system, if it gave one */
export function whyNoAnswer(folder: string, code: string | undefined): string {
  const { adminSocket } = dataFolder(folder)
  switch (code) {
    case 'EACCES':
      return `the gateway of ${folder} is another user's: only its owner can open ${adminSocket}`
    case 'ENOENT':
      return `no gateway runs on ${folder} (there is no ${adminSocket}): start it with "sallyport up", or name its data folder with --data`
    case 'ECONNREFUSED':
      return `no gateway runs on ${folder} any more (nothing answers at ${adminSocket}): start it again with "sallyport up"`
    default:
      return `the gateway of ${folder} does not answer at ${adminSocket} (${code ?? 'no answer in time'}): look at what it wrote to its error stream`
  }
}

/** Reads an argument that names an agent. */
export function agentName(text: string): AgentKey {
  const [tenantText = '', agentText = '', ...more] = text.split('/')
  const tenant = parseTenantName(tenantText)
  const agent = parseAgentName(agentText)
  if (tenant && agent && more.length === 0) return { tenant, agent }
  throw new InvalidArgumentError('Write TENANT/AGENT in lower-case letters, digits and hyphens, such as acme/invoice-bot.')
}

/** Reads an option or argument that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`It is no whole number from ${min} to ${max}.`)
  }
}
