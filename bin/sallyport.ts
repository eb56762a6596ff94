import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { exitCodes } from '@sallyport/contract'
import { CommanderError } from 'commander'
import { program } from './program.ts'

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
try {
  await program(terminal, process.argv).parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}
