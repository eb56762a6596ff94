import { alphabet, anyBase64, hexadecimal, longRuns, runEnd } from './alphabet.ts'

/** A stretch of a text that may be bytes in base64 or hexadecimal, as those bytes, one unit each. */
export interface Decoded {
  readonly text: string
  /** The stretch of the encoded text that the bytes from `start` to `end` come from. */
  readonly placeOf: (start: number, end: number) => { readonly start: number; readonly end: number }
}

export interface EncodedRun {
  readonly start: number
  readonly end: number
  /** One for each way in which the run can be aligned, since what stands before the encoded text may be of the same characters. */
  readonly readings: () => Generator<Decoded>
}

/** Shorter runs hold nothing that could be found. */
const base64Min = 16
const hexMin = 32
/** Lines at least this long are broken by a program, and the run goes on in the next one. @see RFC 2045 section 6.8 (76), RFC 7468 (64) */
const wrappedLineMin = 60

const indentMax = 16
const indent = alphabet(' \t')

/** The runs of base64, also of its URL form and over wrapped lines, and those of hexadecimal in them, from `from` on. */
export function* encodedRuns(text: string, from: number): Generator<EncodedRun> {
  let passed = from
  for (const { start, end: lineEnd } of longRuns(text, from, anyBase64, base64Min)) {
    if (start < passed) continue // a further line of the run before
    const lines = wrappedLines(text, start, lineEnd)
    const { end } = lines.at(-1) ?? { end: lineEnd }
    yield { start, end, readings: () => readings(text, lines) }
    passed = end
  }
}

function* readings(text: string, lines: readonly Line[]): Generator<Decoded> {
  yield* base64Readings(text, lines)
  for (const line of lines) {
    for (const { start, end } of longRuns(text, line.start, hexadecimal, hexMin, line.end)) yield* hexReadings(text, start, end)
  }
}

interface Line {
  readonly start: number
  readonly end: number
}

/** The last line may be empty, where the text ends after a line break. */
function wrappedLines(text: string, firstStart: number, firstEnd: number): readonly Line[] {
  const lines: Line[] = []
  for (let start = firstStart, end = firstEnd; ; end = runEnd(text, start, anyBase64)) {
    lines.push({ start, end })
    if (end - start < wrappedLineMin) return lines
    const lineBreak = text[end] === '\r' && text[end + 1] !== undefined ? end + 1 : end
    if (text[lineBreak] !== '\n' && text[lineBreak] !== '\r') return lines
    const next = runEnd(text, lineBreak + 1, indent, lineBreak + 1 + indentMax)
    if (next < text.length && anyBase64[text.charCodeAt(next)] !== 1) return lines
    start = next
  }
}

function* base64Readings(text: string, lines: readonly Line[]): Generator<Decoded> {
  const whole = lines.map(({ start, end }) => text.slice(start, end)).join('')
  const placeOf = placesIn(lines)
  for (let skipped = 0; skipped < 4; skipped += 1) {
    yield {
      text: Buffer.from(skipped === 0 ? whole : whole.slice(skipped), 'base64').toString('latin1'),
      placeOf: (start, end) => ({ start: placeOf(skipped + Math.floor((start * 4) / 3)), end: placeOf(skipped + Math.ceil((end * 4) / 3) - 1) + 1 }),
    }
  }
}

/** Where a character of the joined lines stands in the text. */
function placesIn(lines: readonly Line[]): (character: number) => number {
  const [first] = lines
  if (first && lines.length === 1) return (character) => Math.min(first.start + character, first.end)
  return (character) => {
    let rest = character
    for (const { start, end } of lines) {
      if (rest < end - start) return start + rest
      rest -= end - start
    }
    return lines.at(-1)?.end ?? 0
  }
}

function* hexReadings(text: string, start: number, end: number): Generator<Decoded> {
  for (const skipped of [0, 1]) {
    const from = start + skipped
    yield {
      text: Buffer.from(text.slice(from, end - ((end - from) % 2)), 'hex').toString('latin1'),
      placeOf: (first, last) => ({ start: from + first * 2, end: from + last * 2 }),
    }
  }
}
