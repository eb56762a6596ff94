/** A string of one event that goes on in strings of later events, by its place in the text of the event, without the quotes. */
export interface DeltaPiece {
  /** The same for all strings that belong together. */
  readonly strand: string
  readonly start: number
  readonly end: number
}

const depthMax = 32
/** Strings of one event that are followed. */
const piecesMax = 64

/**
 * The strings of a JSON text that are parts of a longer text, as language models answer in parts: those of a member `text`, and all in a member `delta`. Which of
 * several answers they belong to is told by the members that end in `index`.
 *
 * Reads what looks like JSON without judging it, in one pass; of anything else it gives what it gives.
 */
export function deltaPieces(text: string, from: number, to: number): readonly DeltaPiece[] {
  const pieces: DeltaPiece[] = []
  const indexes: string[] = []
  /** The names of the members around; an empty one around an element of a list. */
  const path: string[] = []
  let name = ''
  for (let at = from; at < to; at += 1) {
    switch (text[at]) {
      case '{':
      case '[':
        if (path.length === depthMax) return []
        path.push(name)
        name = ''
        break
      case '}':
      case ']':
        path.pop()
        name = ''
        break
      case '"': {
        const end = stringEnd(text, at + 1, to)
        const after = text.slice(end + 1, Math.min(to, end + 32))
        if (/^\s*:/.test(after)) {
          name = text.slice(at + 1, end)
          const number = name.endsWith('index') && /^\s*:\s*([0-9]+)/.exec(after)
          if (number) indexes.push(`${name}=${number[1]}`)
        } else if (pieces.length < piecesMax && isDelta(path, name)) pieces.push({ strand: [...path, name].join('/'), start: at + 1, end })
        at = end
        break
      }
    }
  }
  return pieces.map((piece) => ({ ...piece, strand: [piece.strand, ...indexes].join(' ') }))
}

/** Words of a protocol, which are whole in each event. */
const wholes: ReadonlySet<string> = new Set(['type', 'role', 'id', 'name', 'status', 'object', 'model', 'stop_reason', 'finish_reason'])

function isDelta(path: readonly string[], name: string): boolean {
  return name === 'text' || (!wholes.has(name) && (name === 'delta' || path.includes('delta')))
}

/** Where the quote stands that ends the string, or `to`. */
function stringEnd(text: string, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    if (text[at] === '"') return at
    if (text[at] === '\\') at += 1
  }
  return to
}
