import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { exitCodes } from '@sallyport/contract'
import { addOperatorCommands, outputUsageErrors } from '@sallyport/gateway/cli'
import { addAgentSideCommands } from '@sallyport/runtime/cli'
import { Command, CommanderError } from 'commander'

const { stdin, stdout, stderr, env } = process
// npm runs scripts in the folder of the package; the user means files where they stand.
if (env['npm_lifecycle_event'] === 'sallyport' && env['INIT_CWD'] !== undefined) process.chdir(env['INIT_CWD'])

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(new Error(signal)))

const terminal = {
  stdin,
  stdout,
  stderr,
  env,
  program: [process.execPath, fileURLToPath(import.meta.url)],
  now: Date.now,
  randomBytes,
  newId: randomUUID,
  stop: stop.signal,
  exit: (code: number) => void (process.exitCode = code),
}
const root = outputUsageErrors(new Command('sallyport'), terminal, process.argv).description('The two-door gate for AI agents').version('0.1.0')
const agent = root.command('agent').description('agents: register and revoke here, enrol and renew on their own host')
addOperatorCommands({ root, agent }, terminal)
addAgentSideCommands({ root, agent }, terminal)
try {
  await root.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}
