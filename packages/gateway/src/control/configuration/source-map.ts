import { isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Scalar } from 'yaml'

export type Path = readonly (string | number)[]

/** A place in the text, both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Which part of a field is meant: its name or what it holds. */
export type Aspect = 'name' | 'value'

/** Finds the place of a field in the text of a YAML document. */
export class SourceMap {
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #text: string

  constructor(document: Document, lines: LineCounter, text: string) {
    this.#document = document
    this.#lines = lines
    this.#text = text
  }

  /**
   * The place of the field, or of the nearest field around it that exists.
   *
   * @param offset UTF-16 units into the field's text, as far as escapes and folded lines let it be found
   */
  locate(path: Path, aspect: Aspect = 'value', offset?: number): Place {
    return this.at(this.#offsetOf(path, aspect, offset))
  }

  at(offset: number): Place {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  lineText(line: number): string {
    return this.#text.split('\n', line)[line - 1]?.replace(/\r$/, '') ?? ''
  }

  #offsetOf(path: Path, aspect: Aspect, offset: number | undefined): number {
    let node: unknown = this.#document.contents
    let name = 0
    for (const step of path) {
      const below = childOf(node, step)
      if (!below) return name
      name = startOf(below.name) ?? startOf(below.value) ?? name
      node = below.value
    }
    if (aspect === 'name') return name
    if (offset !== undefined && isScalar(node)) return offsetInScalar(this.#text, node, offset) ?? name
    return startOf(node) ?? name
  }
}

function childOf(node: unknown, step: string | number): { readonly name: unknown; readonly value: unknown } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const value = node.items[step]
    return value === undefined ? undefined : { name: value, value }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(step))
  return pair && { name: pair.key, value: pair.value }
}

function startOf(node: unknown): number | undefined {
  return isRanged(node) ? node.range?.[0] : undefined
}

function isRanged(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'range' in node
}

/**
 * Scalars are written in five ways, but all keep their characters in order, white space aside. So the n-th character that is not white space stands where
 * the n-th one of the text stands.
 */
function offsetInScalar(text: string, { range, type, value }: Scalar, offset: number): number | undefined {
  if (!range || typeof value !== 'string') return range?.[0]
  const [start, end] = range
  const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED'
  const isQuoted = type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE'
  const from = isBlock ? text.indexOf('\n', start) + 1 : isQuoted ? start + 1 : start
  const until = isQuoted ? end - 1 : end
  let wanted = value.slice(0, offset).replace(/\s/g, '').length
  let after = from
  for (let at = from; at < until;) {
    const { length, isSpace } = characterAt(text, at, type)
    if (!isSpace) {
      if (wanted === 0) return at
      wanted -= 1
      after = at + length
    }
    at += length
  }
  return after
}

function characterAt(text: string, at: number, type: Scalar['type']): { readonly length: number; readonly isSpace: boolean } {
  if (type === 'QUOTE_SINGLE' && text.startsWith("''", at)) return { length: 2, isSpace: false }
  if (type === 'QUOTE_DOUBLE' && text[at] === '\\') {
    const kind = text[at + 1] ?? ''
    return { length: escapeLengths[kind] ?? 2, isSpace: /[\stnrvfNL_P]/.test(kind) }
  }
  return { length: 1, isSpace: /\s/.test(text[at] ?? '') }
}

const escapeLengths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 }
