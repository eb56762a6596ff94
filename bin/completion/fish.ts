import { readFileSync } from 'node:fs'
import { unreachable } from '@sallyport/contract'
import { flatten, type CommandOutline, type OptionOutline, type Value } from '../outline.ts'
import { lastWord } from './table.ts'

/** A script for fish 3.2 and later. */
export function fishCompletion(root: CommandOutline): string {
  const all = flatten(root)
  return `# Completion of sallyport for fish. To load it: sallyport completion fish > ~/.config/fish/completions/sallyport.fish
# The commands below a command.
function __sallyport_commands
    switch $argv[1]
${all.flatMap(commandsCase).join('\n')}
    end
end

# Whether an option of a command takes a value: required, optional, or nothing.
function __sallyport_due
    switch "$argv[1] $argv[2]"
${all.flatMap(dueCases).join('\n')}
    end
end
${readFileSync(new URL('walk.fish', import.meta.url), 'utf8')}
${all.flatMap((outline) => [...commandLines(outline), ...argumentLines(outline), ...outline.options.map((option) => optionLine(outline, option))]).join('\n')}
`
}

function commandsCase({ path, commands }: CommandOutline): readonly string[] {
  return commands.length > 0 ? [`        case ${quoted(path.join(' '))}\n            string split ' ' ${quoted(commands.map(lastWord).join(' '))}`] : []
}

function dueCases({ path, options }: CommandOutline): readonly string[] {
  return [true, false].flatMap((isOptional) => {
    const names = options.filter(({ value, isValueOptional }) => value && isValueOptional === isOptional).flatMap((option) => option.names)
    const cases = names.map((name) => quoted(`${path.join(' ')} ${name}`))
    return cases.length > 0 ? [`        case ${cases.join(' ')}\n            echo ${isOptional ? 'optional' : 'required'}`] : []
  })
}

function commandLines({ path, commands }: CommandOutline): readonly string[] {
  return commands.map((below) => line(path, 0, 0, `-a ${quoted(lastWord(below))} -d ${quoted(below.meaning)}`))
}

function argumentLines({ path, arguments: given }: CommandOutline): readonly string[] {
  return given.flatMap(({ value, isVariadic }, position) => {
    const offered = offer(value)
    return offered === undefined ? [] : [line(path, position, isVariadic ? argumentsMax : position, offered)]
  })
}

const argumentsMax = 999

/** fish knows no value that may be left out and stands apart: of such an option it offers the name alone. */
function optionLine({ path }: CommandOutline, { names, meaning, value, isValueOptional }: OptionOutline): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const takes = !value || isValueOptional ? [] : value.kind === 'file' ? ['-r -F'] : [`-x ${offer(value) ?? ''}`.trim()]
  return line(path, 0, argumentsMax, [...flags, ...takes, `-d ${quoted(meaning)}`].join(' '))
}

function line(path: readonly string[], positionMin: number, positionMax: number, rest: string): string {
  return `complete -c sallyport -n ${quoted(`__sallyport_at '${path.join(' ')}' ${positionMin} ${positionMax}`)} ${rest}`
}

function offer(value: Value): string | undefined {
  switch (value.kind) {
    case 'free':
      return undefined
    case 'file':
      return '-F'
    case 'folder':
      return `-a ${quoted('(__fish_complete_directories (commandline -ct))')}`
    case 'words':
      return `-a ${quoted(value.words.join(' '))}`
    case 'names':
      return `-a ${quoted(`(__sallyport_names ${value.of})`)}`
    default:
      return unreachable(value)
  }
}

/** As one word of fish. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`
}
