import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { exitCodes } from '@sallyport/contract'
import { CommanderError } from 'commander'
import { pathOf } from './outline.ts'
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
const root = program(terminal, process.argv)

/** These work for others, so they go on when nobody reads what they print; any other command has nothing more to do. */
const serving = ['up', 'connect', 'witness up']
let isServing = false
root.hook('preAction', (_, command) => void (isServing = serving.includes(pathOf(command).join(' '))))
stderr.on('error', () => undefined) // there is no other place to tell it
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isServing) return
  if (error.code !== 'EPIPE') throw error
  stop.abort(error)
})

try {
  await root.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}
