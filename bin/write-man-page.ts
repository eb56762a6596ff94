import { randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { manPage } from './man-page.ts'
import { outlineOf } from './outline.ts'
import { program } from './program.ts'

const { stdin, stdout, stderr } = process
const terminal = {
  stdin,
  stdout,
  stderr,
  env: {},
  program: ['sallyport'],
  now: Date.now,
  randomBytes,
  newId: randomUUID,
  stop: AbortSignal.abort(),
  exit: () => undefined,
}
await writeFile(new URL('../docs/sallyport.1', import.meta.url), manPage(outlineOf(program(terminal, []))))
