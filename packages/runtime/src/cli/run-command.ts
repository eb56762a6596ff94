import { Fault, type Json } from '@sallyport/contract'
import type { AgentSideIo } from './agent-side-io.ts'
import { CommandFailure, exitCodes } from './exit-code.ts'

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
    if (!(error instanceof CommandFailure) && !(error instanceof Fault)) throw error
    const exitCode = error instanceof CommandFailure ? error.exitCode : exitCodes.error
    const problem = error instanceof CommandFailure ? error.problem : undefined
    const json = { error: error.message, exitCode, ...(error instanceof Fault && { outcome: error.outcome }), ...(problem && { problem }) }
    io.stderr.write(isJson ? `${JSON.stringify(json)}\n` : `sallyport: ${error.message}\n`)
    io.exit(exitCode)
  }
}
