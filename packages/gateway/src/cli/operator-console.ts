import { dirname, join, resolve } from 'node:path'
import { userInfo } from 'node:os'
import { Fault, problems } from '@sallyport/contract'
import { InvalidArgumentError, type Command } from 'commander'
import { dataFolder } from '../control/data-folder.ts'
import { askGateway, type AdminAnswer } from './admin-client.ts'
import { printable, shownJson } from './show.ts'

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the user or the system asks the program to end. */
  readonly stop: AbortSignal
  readonly exit: (code: number) => void
}

/** @see docs/cli.md */
export const exitCodes = { ok: 0, error: 1, usage: 64, configuration: 78 } as const

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
    if (options.json === true || text === undefined) this.#write(shownJson(value, { isFull: this.#isFull(options) }))
    else this.#write(printable(text))
  }

  readonly printLine = (options: Common, value: unknown): void => this.#write(shownJson(value, { isFull: this.#isFull(options), isLine: true }))

  readonly warn = (warnings: readonly string[]): void => {
    for (const text of warnings) this.#terminal.stderr.write(`sallyport: warning: ${printable(text)}\n`)
  }

  readonly fail = ({ json }: Common, message: string, code: number = exitCodes.error, problem?: object): void => {
    const said = json === true ? shownJson(problem ?? { error: message }, { isFull: true, isLine: true }) : `sallyport: ${printable(message)}`
    this.#terminal.stderr.write(`${said}\n`)
    this.#terminal.exit(code)
  }

  /** Runs a command; a failed dependency becomes one clear line. */
  readonly run = async (options: Common, work: () => Promise<void>, code: number = exitCodes.error): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.fail(options, error.message, code)
    }
  }

  /** Asks the running gateway of the folder. */
  readonly ask = async (options: Common, act: string, input: object, text?: (value: unknown) => string): Promise<void> =>
    this.tell(options, await askGateway(dataFolder(this.folderOf(options)).adminSocket, act, input), text)

  readonly tell = (options: Common, answer: AdminAnswer, text?: (value: unknown) => string): void => {
    switch (answer.kind) {
      case 'done':
        return this.print(options, answer.value, text?.(answer.value))
      case 'refused':
        return this.fail(options, `${answer.problem.detail ?? problems[answer.problem.code].title} (${answer.problem.code})`, exitCodes.error, answer.problem)
      case 'unreachable':
        return this.fail(options, whyNoAnswer(this.folderOf(options), answer.code))
    }
  }

  #write(text: string): void {
    this.#terminal.stdout.write(`${text}\n`)
  }

  #isFull({ full, json }: Common): boolean {
    return full === true || json === true || this.#terminal.stdout.isTTY !== true
  }
}

function whyNoAnswer(folder: string, code: string | undefined): string {
  if (code === 'EACCES') return `the gateway of ${folder} is another user's: only its owner can ask it`
  if (code === 'ENOENT') return `no gateway runs on ${folder}: start it with "sallyport up", or name its data folder with --data`
  return `the gateway of ${folder} does not answer (${code ?? 'no answer'}): start it with "sallyport up"`
}

/** Reads an option or argument that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`It is no whole number from ${min} to ${max}.`)
  }
}
