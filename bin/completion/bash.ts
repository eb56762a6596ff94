import { readFileSync } from 'node:fs'
import { flatten, type CommandOutline } from '../outline.ts'
import { lastWord, quoted, takesTable, valueCode } from './table.ts'

/** A script for bash 3.2 and later that needs no bash-completion. */
export function bashCompletion(root: CommandOutline): string {
  return `# Completion of sallyport for bash. To load it: source <(sallyport completion bash)
# What may follow the words of a command: commands, options, what options take, what arguments are.
_sallyport_at() {
  commands='' options='' takes='' arguments=()
  case $1 in
${flatten(root).map(row).join('\n')}
  esac
}
${readFileSync(new URL('walk.bash', import.meta.url), 'utf8')}`
}

function row({ path, commands, options, arguments: given }: CommandOutline): string {
  const parts = [
    `commands=${quoted(commands.map(lastWord).join(' '))}`,
    `options=${quoted(options.flatMap(({ names }) => names).join(' '))}`,
    `takes=${quoted(takesTable(options))}`,
    `arguments=(${given.map((argument) => quoted(valueCode(argument.value) + (argument.isVariadic ? '...' : ''))).join(' ')})`,
  ]
  return `    ${quoted(path.join(' '))}) ${parts.join(' ')} ;;`
}
