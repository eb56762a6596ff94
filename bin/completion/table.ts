import { unreachable } from '@sallyport/contract'
import type { CommandOutline, OptionOutline, Value } from '../outline.ts'

/** What a value can be, in one word without white space: `file`, `folder`, `free`, `=one,of,these` or `@upstream`. */
export function valueCode(value: Value): string {
  switch (value.kind) {
    case 'free':
    case 'file':
    case 'folder':
      return value.kind
    case 'words':
      return `=${value.words.join(',')}`
    case 'names':
      return `@${value.of}`
    default:
      return unreachable(value)
  }
}

/** The options that take a value, with what it can be; a question mark before a value that may be left out. */
export function takesTable(options: readonly OptionOutline[]): string {
  const entries = options.flatMap(({ names, value, isValueOptional }) =>
    value ? names.map((name) => `${name}:${isValueOptional ? '?' : ''}${valueCode(value)}`) : [],
  )
  return ` ${entries.join(' ')} `
}

export function lastWord({ path }: CommandOutline): string {
  return path.at(-1) ?? ''
}

/** As one word of bash or zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
