import { createInterface } from 'node:readline'
import type { AgentSideIo } from './agent-side-io.ts'

/** Asks a person a question that ends with yes or no; the end of the input, and anything but a yes, is a no. */
export async function confirmed({ stdin, stderr, stop }: Pick<AgentSideIo, 'stdin' | 'stderr' | 'stop'>, question: string): Promise<boolean> {
  stderr.write(`${question} [y/N] `)
  const lines = createInterface({ input: stdin, signal: stop })
  try {
    for await (const line of lines) return /^y(?:es)?$/i.test(line.trim())
    return false
  } finally {
    lines.close()
  }
}
