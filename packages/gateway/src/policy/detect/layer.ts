import { hexadecimal, runEnd } from './alphabet.ts'

/** A reading of a text: what it says once its escapes are undone, and where each unit of that stands in the text itself. */
export interface Layer {
  readonly text: string
  /** Where the unit begins in the original; the unit before it ends there. Also asked for the length, which is where the layer ends. */
  readonly placeOf: (unit: number) => number
}

/** Escapes in escapes that are followed: a JSON text in a JSON string in a JSON string. */
const nestingMax = 3

/**
 * The text itself, then with the escapes of JSON and programming languages undone, once for each that stands in another, and at last those of URLs. Each layer
 * has fewer borders between units than the one before it.
 *
 * What stands before `from` stays as it is in every layer. Where more may follow (`isWhole` false), a layer ends before an escape that the text breaks off in.
 */
export function layersOf(text: string, from: number, isWhole: boolean): readonly [Layer, ...Layer[]] {
  const layers: [Layer, ...Layer[]] = [{ text, placeOf: (unit) => unit }]
  let top: Layer = layers[0]
  for (let nesting = 0; nesting < nestingMax && top.text.indexOf('\\', from) >= 0; nesting += 1) {
    top = undo(top, from, isWhole, '\\', readBackslash)
    layers.push(top)
  }
  if (top.text.indexOf('%', from) >= 0) layers.push(undo(top, from, isWhole, '%', readPercent))
  return layers
}

/** The units around a stretch of the original that a layer does not divide: a replacement of less would leave half an escape. */
export function widen(layer: Layer, start: number, end: number): { readonly start: number; readonly end: number } {
  const first = unitAt(layer, start)
  const last = unitAt(layer, end)
  return { start: layer.placeOf(first), end: layer.placeOf(last) === end ? end : Math.max(end, layer.placeOf(last + 1)) }
}

/** The unit that covers a place of the original. */
function unitAt({ text, placeOf }: Layer, place: number): number {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (placeOf(middle) <= place) low = middle
    else high = middle - 1
  }
  return low
}

/** How many units an escape takes, and what it means; `cut` when the text breaks off in it, undefined for an opener that opens nothing. */
type ReadEscape = (text: string, at: number) => { readonly length: number; readonly means: string } | 'cut' | undefined

function undo(under: Layer, from: number, isWhole: boolean, opener: string, read: ReadEscape): Layer {
  const { text } = under
  const parts: string[] = []
  /** By unit of the new text: the unit under it. */
  const units = new Int32Array(text.length + 1)
  let length = 0
  const keep = (start: number, end: number): void => {
    parts.push(text.slice(start, end))
    for (let unit = start; unit < end; unit += 1) units[length++] = unit
  }
  let kept = 0
  let end = text.length
  for (let at = text.indexOf(opener, from); at >= 0 && at < end;) {
    const escape = read(text, at)
    if (typeof escape === 'object') {
      keep(kept, at)
      parts.push(escape.means)
      units[length++] = at
      kept = at + escape.length
    } else if (escape === 'cut' && !isWhole) end = at
    at = text.indexOf(opener, Math.max(kept, at + 1))
  }
  keep(kept, end)
  units[length] = end
  return { text: parts.join(''), placeOf: (unit) => under.placeOf(units[unit] ?? text.length) }
}

const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** @see RFC 8259 section 7; `\xHH` is of JavaScript, C and many others */
function readBackslash(text: string, at: number): ReturnType<ReadEscape> {
  const letter = text[at + 1]
  if (letter === undefined) return 'cut'
  const hexDigits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0
  const hexEnd = runEnd(text, at + 2, hexadecimal, at + 2 + hexDigits)
  if (hexEnd === text.length && hexEnd < at + 2 + hexDigits) return 'cut'
  if (hexDigits > 0 && hexEnd === at + 2 + hexDigits)
    return { length: 2 + hexDigits, means: String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 2 + hexDigits), 16)) }
  return { length: 2, means: letters[letter] ?? letter }
}

/** @see RFC 3986 section 2.1 */
function readPercent(text: string, at: number): ReturnType<ReadEscape> {
  const end = runEnd(text, at + 1, hexadecimal, at + 3)
  if (end !== at + 3) return end === text.length ? 'cut' : undefined
  return { length: 3, means: String.fromCharCode(Number.parseInt(text.slice(at + 1, at + 3), 16)) }
}
