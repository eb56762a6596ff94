import { relative } from 'node:path'
import { keepCase, keptCases } from './cases.ts'
import { fuzz } from './fuzz.ts'
import type { Target } from './target.ts'
import { Watchdog } from './watchdog.ts'

export interface Campaign {
  /** One line for people, with the seed. */
  readonly summary: string
  /** The case that was kept, and why; undefined when every promise held. */
  readonly finding: string | undefined
}

/** Fuzzes one target for a time, guided by coverage. What it finds is shrunk and kept as a case, so that `npm test` fails until it is mended. */
export async function campaign(target: Target, seed: number, seconds: number): Promise<Campaign> {
  await using watchdog = new Watchdog(target.name, target.bytesMax)
  let current: Uint8Array = new Uint8Array(0)
  const crash = (error: unknown): void => {
    process.stderr.write(`${target.name}: nobody caught an error: ${keepCase(target.name, current)}\n${String(error instanceof Error ? error.stack : error)}\n`)
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  const onInput = (input: Uint8Array): void => {
    current = input
    watchdog.begin(input)
  }
  const cases = keptCases(target.name).map(({ input }) => input)
  const { inputs, blocks, finding } = await fuzz(target, { seed, cases, until: { ms: seconds * 1000 }, onInput })
  process.off('uncaughtException', crash)
  const summary = `${target.name}: ${inputs} inputs, ${blocks} blocks of code, seed ${seed}`
  if (!finding) return { summary, finding: undefined }
  const path = relative(process.cwd(), keepCase(target.name, finding.input))
  return { summary, finding: `${path}: ${finding.error.stack ?? finding.error.message}` }
}
