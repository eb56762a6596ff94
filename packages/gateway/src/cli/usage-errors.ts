import { commandError, exitCodes } from '@sallyport/contract'
import type { Command } from 'commander'
import type { Terminal } from './operator-console.ts'
import { shownJson } from './show.ts'

/** Lets a wrong command line be told in the same form as every other failure; for the root, before its commands are added. */
export function outputUsageErrors(root: Command, { stderr }: Pick<Terminal, 'stderr'>, args: readonly string[]): Command {
  const isJson = args.includes('--json')
  return root.exitOverride().configureOutput({
    writeErr: (text) => void stderr.write(text),
    outputError: (text, write) =>
      write(isJson ? `${shownJson(commandError(exitCodes.usage, text.replace(/^error: /, '').trim()), { isFull: true, isLine: true })}\n` : text),
  })
}
