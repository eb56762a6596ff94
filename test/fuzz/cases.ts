import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = join(import.meta.dirname, 'cases')

export interface KeptCase {
  /** Says what the input is about; a digest until someone has understood it. */
  readonly title: string
  readonly input: Uint8Array
}

/** Inputs that once broke a promise, or that are hard to come by. */
export function keptCases(target: string): readonly KeptCase[] {
  return globSync(join(folder, target, '*.bin'))
    .sort()
    .map((path) => ({ title: basename(path, '.bin'), input: new Uint8Array(readFileSync(path)) }))
}

/** Keeps an input among the cases of its target; the file's path. */
export function keepCase(target: string, input: Uint8Array): string {
  const path = join(folder, target, `${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`)
  mkdirSync(join(folder, target), { recursive: true })
  writeFileSync(path, input)
  return path
}
