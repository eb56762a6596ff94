import type { EchoPattern } from './echo-pattern.ts'
import { EscapeReader } from './escape-reader.ts'

const asterisk = 0x2a

/**
 * Blanks a secret out of a stream of bytes, with as many asterisks, also where it is cut by the borders of pieces.
 *
 * Keeps back only what could be the beginning of a secret, so that an event stream is not delayed: an event ends with a line break, and no secret holds one.
 */
export class EchoMask {
  readonly #finder: EchoFinder
  #kept: Uint8Array = new Uint8Array(0)
  #offset = 0

  constructor(pattern: EchoPattern) {
    this.#finder = new EchoFinder(pattern)
  }

  /** What may pass on, perhaps nothing yet. */
  pass(piece: Uint8Array): Uint8Array {
    const bytes = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece])
    const masked = this.#blank(bytes, this.#finder.read(piece))
    const passedBytes = this.#finder.undecidedFrom - this.#offset
    // A copy, since the piece belongs to whoever gave it.
    this.#kept = Uint8Array.from(masked.subarray(passedBytes))
    this.#offset += passedBytes
    return masked.subarray(0, passedBytes)
  }

  /** What was kept back at the end. */
  end(): Uint8Array {
    const rest = this.#blank(this.#kept, this.#finder.end())
    this.#offset += rest.length
    this.#kept = new Uint8Array(0)
    return rest
  }

  #blank(bytes: Uint8Array, spans: readonly Span[]): Uint8Array {
    if (spans.length === 0) return bytes
    const masked = Uint8Array.from(bytes)
    for (const { start, end } of spans) masked.fill(asterisk, start - this.#offset, end - this.#offset)
    return masked
  }
}

/** The lines (one character a byte) without the secret. */
export function maskLines(lines: readonly string[], pattern: EchoPattern): readonly string[] {
  const mask = new EchoMask(pattern)
  const masked = [mask.pass(Buffer.from(lines.join('\n'), 'latin1')), mask.end()]
  return Buffer.concat(masked).toString('latin1').split('\n')
}

/** From and up to which byte, counted from the beginning of the text. */
interface Span {
  readonly start: number
  readonly end: number
}

/** Finds the forms of a secret in a text that comes in pieces, as it stands and with its escapes undone. */
class EchoFinder {
  /** As it stands too: what looks like the beginning of an escape may only stand before the secret. */
  readonly #plain: Lane
  readonly #undone: Lane
  readonly #reader: EscapeReader
  readonly #isLoud: Readonly<Uint8Array>
  #spans: Span[] = []
  #length = 0

  constructor(pattern: EchoPattern) {
    const found = (start: number, end: number): void => void this.#spans.push({ start, end })
    this.#plain = new Lane(pattern, found)
    this.#undone = new Lane(pattern, found)
    this.#reader = new EscapeReader((character, start, end) => this.#undone.take(character, start, end))
    this.#isLoud = pattern.isLoud
  }

  read(bytes: Uint8Array): readonly Span[] {
    const from = this.#length
    for (let index = 0; index < bytes.length; index += 1) {
      if (this.#isAtRest) index = this.#nextLoud(bytes, index)
      const byte = bytes[index]
      if (byte === undefined) break
      this.#plain.take(byte, from + index, from + index + 1)
      this.#reader.take(byte, from + index)
    }
    this.#length += bytes.length
    return this.#taken()
  }

  get #isAtRest(): boolean {
    return this.#plain.isAtRest && this.#undone.isAtRest && this.#reader.isEmpty
  }

  /** The last byte is always looked at, since what follows it is not known yet. */
  #nextLoud(bytes: Uint8Array, from: number): number {
    const isLoud = this.#isLoud
    const last = bytes.length - 1
    let index = from
    while (index < last && isLoud[(bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0)] === 0) index += 1
    return index
  }

  end(): readonly Span[] {
    this.#reader.end()
    return this.#taken()
  }

  /** Up to here no secret has begun. */
  get undecidedFrom(): number {
    return Math.min(this.#reader.start ?? this.#length, this.#plain.begunAt ?? this.#length, this.#undone.begunAt ?? this.#length)
  }

  #taken(): readonly Span[] {
    const spans = this.#spans
    this.#spans = []
    return spans
  }
}

/** One reading of the text. */
class Lane {
  readonly #pattern: EchoPattern
  readonly #found: (start: number, end: number) => void
  /** Where the last characters began, as many as a form can have, in turn. */
  readonly #starts: Float64Array
  #state = 0
  #count = 0

  constructor(pattern: EchoPattern, found: (start: number, end: number) => void) {
    this.#pattern = pattern
    this.#found = found
    this.#starts = new Float64Array(pattern.lengthMax + 1)
  }

  get isAtRest(): boolean {
    return this.#state === 0
  }

  get begunAt(): number | undefined {
    return this.#state === 0 ? undefined : this.#startOf(this.#pattern.begun(this.#state))
  }

  take(character: number, start: number, end: number): void {
    this.#starts[this.#count % this.#starts.length] = start
    this.#count += 1
    this.#state = this.#pattern.step(this.#state, character)
    const length = this.#pattern.found(this.#state)
    if (length > 0) this.#found(this.#startOf(length), end)
  }

  /** Where the character stands that was taken so many ago. */
  #startOf(ago: number): number {
    return this.#starts[(this.#count - ago) % this.#starts.length] ?? 0
  }
}
