import type { Readable, Writable } from 'node:stream'
import type { ExitCode } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { Environment } from './default-folder.ts'

/** The world of a command, chosen by the program that holds it. */
export interface AgentSideIo {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: Environment
  /** The words that start this program: a command, and the arguments before those of Sallyport. */
  readonly program: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Aborts when the process is asked to end (SIGTERM, SIGINT). */
  readonly stop: AbortSignal
  /** Sets the exit code; the process goes on until it has nothing left to do. */
  readonly exit: (code: ExitCode) => void
}

export function clockOf({ now }: Pick<AgentSideIo, 'now'>): Clock {
  return {
    now,
    after: (delayMs, act) => {
      const timer = setTimeout(act, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
