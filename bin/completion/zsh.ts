import { readFileSync } from 'node:fs'
import { flatten, type CommandOutline } from '../outline.ts'
import { lastWord, quoted, takesTable, valueCode } from './table.ts'

/** A script for zsh 5: a file `_sallyport` in a folder of `fpath`, or to be sourced after `compinit`. */
export function zshCompletion(root: CommandOutline): string {
  return `#compdef sallyport
# Completion of sallyport for zsh. To load it: sallyport completion zsh > "\${fpath[1]}/_sallyport"
# What may follow the words of a command: commands, options, what options take, what arguments are.
_sallyport_at() {
  commands=() options=() takes='' arguments=()
  case $1 in
${flatten(root).map(row).join('\n')}
  esac
}
${readFileSync(new URL('walk.zsh', import.meta.url), 'utf8')}`
}

function row({ path, commands, options, arguments: given }: CommandOutline): string {
  return `    ${quoted(path.join(' '))})
      commands=(${commands.map((below) => described(lastWord(below), below.meaning)).join(' ')})
      options=(${options.flatMap(({ names, meaning }) => names.map((name) => described(name, meaning))).join(' ')})
      takes=${quoted(takesTable(options))}
      arguments=(${given.map((argument) => quoted(valueCode(argument.value) + (argument.isVariadic ? '...' : ''))).join(' ')})
      ;;`
}

/** `_describe` parts a word from its meaning at the first colon. */
function described(word: string, meaning: string): string {
  return quoted(`${word.replaceAll(':', String.raw`\:`)}:${meaning}`)
}
