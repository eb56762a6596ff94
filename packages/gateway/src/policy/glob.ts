/** A pattern over one name: `*` stands for any run of characters, also an empty one; everything else stands for itself, case included. */
export interface Glob {
  /** The one text that matches; undefined when the pattern has a star. */
  readonly literal: string | undefined
  readonly matchesAll: boolean
  matches(text: string): boolean
}

/**
 * Matching takes time linear in the text for each piece between two stars and never backtracks further than that: the pieces are found leftmost first,
 * which is complete because a star gives up nothing by matching less. No regular expression is involved.
 */
export function compileGlob(pattern: string): Glob {
  const pieces = pattern.split('*')
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return { literal: pattern, matchesAll: false, matches: (text) => text === pattern }
  const inner = rest.filter((piece) => piece !== '')
  const shortest = first.length + last.length
  return {
    literal: undefined,
    matchesAll: pieces.every((piece) => piece === ''),
    matches(text) {
      if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last)) return false
      const end = text.length - last.length
      let from = first.length
      for (const piece of inner) {
        const at = text.indexOf(piece, from)
        if (at < 0 || at + piece.length > end) return false
        from = at + piece.length
      }
      return true
    },
  }
}
