import { commandError, describeSystemError, exitCodes, Fault, type Json } from '@sallyport/contract'
import type { AgentSideIo } from './agent-side-io.ts'
import { CommandFailure } from './command-failure.ts'

/** What a command has to say: the same thing for a person and for a program. */
export interface Said {
  readonly text: string
  readonly json: Json
}

/**
 * Runs one command to its exit code and prints what it says. With `--json` a failure is one JSON object on standard error: standard output then holds results only.
 */
export async function runCommand(io: AgentSideIo, isJson: boolean, run: () => Promise<Said | undefined>): Promise<void> {
  try {
    const said = await run()
    if (said) io.stdout.write(isJson ? `${JSON.stringify(said.json)}\n` : `${said.text}\n`)
    io.exit(exitCodes.ok)
  } catch (error) {
    const { exitCode, message, members } = failureOf(error)
    io.stderr.write(isJson ? `${JSON.stringify(commandError(exitCode, message, members))}\n` : `sallyport: ${message}\n`)
    io.exit(exitCode)
  }
}

/** @throws what is a bug */
function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  if (error instanceof Fault) return new CommandFailure(exitCodes.error, error.message, error.outcome === 'unknown' ? { outcome: error.outcome } : {})
  const refusedBySystem = describeSystemError(error)
  if (refusedBySystem === undefined) throw error
  return new CommandFailure(exitCodes.configuration, refusedBySystem)
}
