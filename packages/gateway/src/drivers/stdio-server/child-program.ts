import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { Fault } from '@sallyport/contract'
import type { Sandbox } from '../../control/configuration/stdio-server-settings.ts'
import { EchoMask } from '../../forward/echo-mask.ts'
import { EchoPattern } from '../../forward/echo-pattern.ts'
import { confine } from './sandbox.ts'

export interface ProgramTerms {
  /** An absolute path and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** Where it runs; absent: an empty folder of its own, removed afterwards. */
  readonly directory: string | undefined
  readonly sandbox: Sandbox
  /** What no program may see: the gateway's keys. */
  readonly hidden: readonly string[]
  readonly temporaryFolder: string
  /** The secrets in its environment, masked in whatever it writes. */
  readonly secrets: readonly string[]
  /** Something of the program stayed behind. */
  readonly report: (fault: unknown) => void
}

/** The end of the error stream that is kept, in bytes. */
const errorBytesMax = 16_384
/** Input that waits for the program to read it, in bytes. */
const unreadBytesMax = 16 * 1024 * 1024
/** From the request to stop to the end by force. */
const graceMs = 2_000

/** A program that talks over its standard streams, in a process group of its own so that whatever it starts ends with it. */
export class ChildProgram {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  #errors = Buffer.alloc(0)
  #isGone = false
  /** Resolves when the process and its group are gone and its own folder is removed, or reported where it cannot be. Never rejects. */
  readonly ended: Promise<void>

  private constructor(
    process: ChildProcessByStdio<Writable, Readable, Readable>,
    ownFolder: string | undefined,
    { secrets, report }: ProgramTerms,
    onOutput: (bytes: Uint8Array) => void,
  ) {
    this.#process = process
    const { promise, resolve } = Promise.withResolvers<void>()
    process.once('error', () => resolve()) // it did not start
    process.once('exit', () => {
      this.#signalGroup('SIGKILL') // the leader is gone; what it left behind goes too
      this.#isGone = true // from here on the number may be another's
      resolve()
    })
    process.stdin.on('error', () => undefined) // it closed its input; that it ends is what counts
    const echo = secrets.length > 0 ? new EchoPattern(secrets) : undefined
    readMasked(process.stdout, echo, onOutput)
    readMasked(process.stderr, echo, (bytes) => {
      this.#errors = Buffer.concat([this.#errors, bytes]).subarray(-errorBytesMax)
    })
    this.ended = promise.then(async () => {
      if (ownFolder !== undefined) await remove(ownFolder, report)
    })
  }

  static async start(terms: ProgramTerms, onOutput: (bytes: Uint8Array) => void): Promise<ChildProgram> {
    const { command, env, directory, sandbox, hidden, temporaryFolder } = terms
    const ownFolder = directory === undefined ? await mkdtemp(join(temporaryFolder, 'sallyport-mcp-')) : undefined
    if (ownFolder !== undefined && sandbox.kind === 'user') await chown(ownFolder, sandbox.uid, sandbox.gid)
    const cwd = directory ?? ownFolder ?? temporaryFolder
    const {
      command: [file, ...args],
      ...owner
    } = confine(command, sandbox, { folder: cwd, hidden })
    // Nothing of the gateway's own environment: it may hold its secrets, and PATH or NODE_OPTIONS would decide what runs.
    const process = spawn(file, args, { cwd, ...owner, env: { ...env }, shell: false, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    return new ChildProgram(process, ownFolder, terms, onOutput)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get errors(): string {
    return this.#errors.toString('utf8')
  }

  /** False when the program does not read its input. */
  write(line: string): boolean {
    const { stdin } = this.#process
    if (!stdin.writable || stdin.writableLength + line.length > unreadBytesMax) return false
    stdin.write(`${line}\n`)
    return true
  }

  /** Asks the whole group to end, then makes it. */
  async stop(): Promise<void> {
    this.#process.stdin.end()
    this.#signalGroup('SIGTERM')
    const force = setTimeout(() => this.#signalGroup('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(force)
  }

  kill(): void {
    this.#signalGroup('SIGKILL')
  }

  #signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#process
    if (pid === undefined || this.#isGone) return
    try {
      process.kill(-pid, signal)
    } catch {
      // the group is gone already
    }
  }
}

function readMasked(stream: Readable, echo: EchoPattern | undefined, onBytes: (bytes: Uint8Array) => void): void {
  const mask = echo && new EchoMask(echo)
  stream.on('data', (bytes: Uint8Array) => onBytes(mask ? mask.pass(bytes) : bytes))
  if (mask) stream.once('end', () => onBytes(mask.end()))
}

/** A program can leave what cannot be removed: a folder without permissions, a path that is too long. */
async function remove(folder: string, report: ProgramTerms['report']): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    report(new Fault(`the folder ${folder} of a program that ended cannot be removed`, 'unknown', error))
  }
}
