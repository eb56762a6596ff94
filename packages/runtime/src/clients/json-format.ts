import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parse,
  parseTree,
  printParseErrorCode,
  visit,
  type FormattingOptions,
  type Node,
  type ParseError,
} from 'jsonc-parser'
import { isTable, lineEndOf, separateServers, type ConfigurationFormat, type ConfigurationRead, type Malformed } from './configuration-format.ts'

export interface JsonShape {
  /** The members that lead to the servers. */
  readonly path: readonly string[]
  /** Comments and trailing commas, in clients that read them. */
  readonly areCommentsAllowed: boolean
}

const empty = '{}\n'
const nothing: Node = { type: 'null', offset: 0, length: 0 }

/** JSON, with comments where the client allows them. */
export function jsonFormat({ path, areCommentsAllowed }: JsonShape): ConfigurationFormat {
  const read = (text: string): ConfigurationRead | Malformed => {
    const errors: ParseError[] = []
    const whole: unknown = parse(blankAsEmpty(text), errors, { disallowComments: !areCommentsAllowed, allowTrailingComma: areCommentsAllowed })
    const [error] = errors
    if (error) return { kind: 'malformed', reason: `${printParseErrorCode(error.error)} in line ${lineOf(text, error.offset)}` }
    if (!isTable(whole)) return { kind: 'malformed', reason: 'it is no object' }
    const separated = separateServers(whole, path)
    return separated.kind === 'read' ? { ...separated, comments: commentsIn(text) } : separated
  }
  const change = (text: string, at: readonly string[], value: unknown): string => {
    const base = blankAsEmpty(text)
    return applyEdits(base, modify(base, [...at], value, { formattingOptions: layoutOf(base) }))
  }

  /** An object that is left empty closes where it opens, as it did before we came. */
  const remove = (text: string, at: readonly string[]): string => {
    const without = change(text, at, undefined)
    const around = findNodeAtLocation(parseTree(without) ?? nothing, at.slice(0, -1))
    if (around?.type !== 'object') return without
    const end = around.offset + around.length
    return /^\{\s*\}$/.test(without.slice(around.offset, end)) ? `${without.slice(0, around.offset)}{}${without.slice(end)}` : without
  }

  return {
    levels: path.length,
    replaces: true,
    read,
    put: (text, name, entry) => change(text, [...path, name], entry),
    take: (text, name) => remove(text, [...path, name]),
    takeLevels: (text, count) => {
      let current = text
      for (let depth = path.length; depth > path.length - count; depth--) {
        const at = path.slice(0, depth)
        const found = findNodeAtLocation(parseTree(current) ?? nothing, at)
        if (found?.type !== 'object' || found.children?.length !== 0) break
        current = remove(current, at)
      }
      return current
    },
    snippet: (entries) => {
      const servers = Object.fromEntries(entries)
      return `${JSON.stringify(
        path.toReversed().reduce<object>((inner, member) => ({ [member]: inner }), servers),
        undefined,
        2,
      )}\n`
    },
    isBlank: (text) => /^\s*(?:\{\s*\})?\s*$/.test(text),
  }
}

function commentsIn(text: string): readonly string[] {
  const found: string[] = []
  visit(text, { onComment: (offset, length) => found.push(text.slice(offset, offset + length).trimEnd()) })
  return found
}

function blankAsEmpty(text: string): string {
  return text.trim() === '' ? empty : text
}

/** The file's own indentation; two spaces where it has none. */
function layoutOf(text: string): FormattingOptions {
  const [, indent = '  '] = /^([ \t]+)["}\]/]/m.exec(text) ?? []
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.startsWith('\t') ? 4 : indent.length, eol: lineEndOf(text) }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
