import { foldName } from './fold-name.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [member: string]: Json
}

/** What can be written as JSON; members that are undefined are left out. */
export type JsonInput = null | boolean | number | string | readonly JsonInput[] | { readonly [member: string]: JsonInput | undefined }

export interface JsonLimits {
  /** Longest text, in bytes of UTF-8. */
  readonly bytesMax: number
  /** Deepest nesting of arrays and objects; `[]` has depth 1. */
  readonly depthMax: number
  /** Refuse an object with two names that lenient parsers take for one. */
  readonly distinctNames?: boolean
}

export const jsonLimits: JsonLimits = { bytesMax: 1_048_576, depthMax: 64 }

export type JsonFlaw = 'too-large' | 'not-unicode' | 'malformed' | 'too-deep' | 'duplicate-member' | 'look-alike-member' | 'lossy-number'

export type ParsedJson =
  { readonly kind: 'refused'; readonly flaw: JsonFlaw; readonly reason: string; readonly position: number } | { readonly kind: 'parsed'; readonly value: Json }

/**
 * Parses JSON so strictly that every other conforming parser reads the same value.
 *
 * Refused with the flaw and its position (in UTF-16 units from the start of the text; 0 where it concerns the whole):
 * - `too-large`, `too-deep`: beyond `limits`;
 * - `not-unicode`: bytes that are not UTF-8, a lone surrogate, written out or escaped;
 * - `malformed`: anything outside the grammar of RFC 8259, a byte order mark included;
 * - `duplicate-member`: parsers disagree about which one counts;
 * - `look-alike-member`: where `distinctNames` are asked for, two names that `foldName` makes one, such as `amount` and `Amount`;
 * - `lossy-number`: the IEEE double that stands for the literal denotes another decimal value when written in its shortest form, or the literal
 *   is an integer beyond 2^53 - 1, which many parsers round.
 *
 * A member called `__proto__` is an ordinary own member. `-0` becomes `0`.
 *
 * @see RFC 8259, RFC 7493 (I-JSON) section 2
 */
export function parseJson(text: string | Uint8Array, limits: JsonLimits = jsonLimits): ParsedJson {
  if (text.length > limits.bytesMax) return flawed('too-large', 0)
  let decoded: string
  if (typeof text === 'string') {
    if (text.length * 3 > limits.bytesMax && new TextEncoder().encode(text).length > limits.bytesMax) return flawed('too-large', 0)
    if (!text.isWellFormed()) return flawed('not-unicode', 0)
    decoded = text
  } else {
    try {
      decoded = utf8.decode(text)
    } catch {
      return flawed('not-unicode', 0)
    }
  }
  try {
    return { kind: 'parsed', value: new Parser(decoded, limits).parse() }
  } catch (error) {
    if (error instanceof Flaw) return flawed(error.flaw, error.position)
    throw error
  }
}

/**
 * Writes the one canonical form of a value.
 *
 * @throws TypeError for what JSON cannot carry: a number that is not finite, a lone surrogate.
 * @see RFC 8785
 */
export function canonicalJson(value: JsonInput): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('JSON has no form for a number that is not finite')
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      if (value === null) return 'null'
      return isArray(value) ? canonicalArray(value) : canonicalObject(value)
  }
}

// `ignoreBOM` keeps the mark in the text, where the grammar refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const flawReasons: Record<JsonFlaw, string> = {
  'too-large': 'the JSON text is too large',
  'not-unicode': 'the JSON text is not well-formed Unicode',
  malformed: 'the text is not JSON',
  'too-deep': 'the JSON text is nested too deeply',
  'duplicate-member': 'an object has two members of one name',
  'look-alike-member': 'an object has two members whose names many programs take for one',
  'lossy-number': 'a number cannot be represented exactly',
}

function flawed(flaw: JsonFlaw, position: number): ParsedJson {
  return { kind: 'refused', flaw, reason: `${flawReasons[flaw]} (position ${position})`, position }
}

class Flaw extends Error {
  readonly flaw: JsonFlaw
  readonly position: number

  constructor(flaw: JsonFlaw, position: number) {
    super(flaw)
    this.flaw = flaw
    this.position = position
  }
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** A recursive descent over the text; its recursion is bounded by `depthMax`. Stops at the first flaw by throwing it. */
class Parser {
  readonly #text: string
  readonly #depthMax: number
  readonly #areNamesDistinct: boolean
  #at = 0
  #depth = 0

  constructor(text: string, { depthMax, distinctNames }: JsonLimits) {
    this.#text = text
    this.#depthMax = depthMax
    this.#areNamesDistinct = distinctNames === true
  }

  parse(): Json {
    const value = this.#value()
    this.#skipSpace()
    if (this.#at !== this.#text.length) throw new Flaw('malformed', this.#at)
    return value
  }

  #value(): Json {
    switch (this.#skipSpace()) {
      case quote:
        return this.#string()
      case 0x7b:
        return this.#object()
      case 0x5b:
        return this.#array()
      case 0x74:
        return this.#word('true', true)
      case 0x66:
        return this.#word('false', false)
      case 0x6e:
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(): Json {
    const object: Record<string, Json> = {}
    const folded = this.#areNamesDistinct ? new Set<string>() : undefined
    this.#enter()
    if (this.#skipSpace() === 0x7d) return this.#leave(object)
    for (;;) {
      const nameAt = this.#at
      if (this.#skipSpace() !== quote) throw new Flaw('malformed', this.#at)
      const name = this.#string()
      if (Object.hasOwn(object, name)) throw new Flaw('duplicate-member', nameAt)
      const foldedBefore = folded?.size
      if (folded && folded.add(foldName(name)).size === foldedBefore) throw new Flaw('look-alike-member', nameAt)
      if (this.#skipSpace() !== colon) throw new Flaw('malformed', this.#at)
      this.#at += 1
      const value = this.#value()
      // An assignment to `__proto__` would change what the object is instead of adding a member.
      if (name === '__proto__') Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
      else object[name] = value
      const next = this.#skipSpace()
      if (next === 0x7d) return this.#leave(object)
      if (next !== comma) throw new Flaw('malformed', this.#at)
      this.#at += 1
      this.#skipSpace()
    }
  }

  #array(): Json {
    const array: Json[] = []
    this.#enter()
    if (this.#skipSpace() === 0x5d) return this.#leave(array)
    for (;;) {
      array.push(this.#value())
      const next = this.#skipSpace()
      if (next === 0x5d) return this.#leave(array)
      if (next !== comma) throw new Flaw('malformed', this.#at)
      this.#at += 1
    }
  }

  #enter(): void {
    this.#depth += 1
    if (this.#depth > this.#depthMax) throw new Flaw('too-deep', this.#at)
    this.#at += 1
  }

  #leave(value: Json): Json {
    this.#depth -= 1
    this.#at += 1
    return value
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    let at = start
    for (;;) {
      const unit = text.charCodeAt(at)
      if (unit === quote) break
      if (unit === backslash) return this.#escapedString(start, at)
      if (!(unit >= 0x20)) throw new Flaw('malformed', at) // a control character, or NaN at the end of the text
      at += 1
    }
    this.#at = at + 1
    return text.slice(start, at)
  }

  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text
    let value = ''
    let runStart = start
    let at = firstEscape
    for (;;) {
      const unit = text.charCodeAt(at)
      if (unit === quote) break
      if (!(unit >= 0x20)) throw new Flaw('malformed', at)
      if (unit !== backslash) {
        at += 1
        continue
      }
      value += text.slice(runStart, at)
      const letter = text.charAt(at + 1)
      if (letter === 'u') {
        const hex = text.slice(at + 2, at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw new Flaw('malformed', at)
        value += String.fromCharCode(Number.parseInt(hex, 16))
        at += 6
      } else {
        const escaped = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
        if (escaped === undefined) throw new Flaw('malformed', at)
        value += escaped
        at += 2
      }
      runStart = at
    }
    value += text.slice(runStart, at)
    if (!value.isWellFormed()) throw new Flaw('not-unicode', start - 1)
    this.#at = at + 1
    return value
  }

  #number(): number {
    const text = this.#text
    const start = this.#at
    let at = start
    if (text.charCodeAt(at) === minus) at += 1
    const integerAt = at
    at = this.#digits(at)
    if (at - integerAt > 1 && text.charCodeAt(integerAt) === zero) throw new Flaw('malformed', integerAt)
    if (text.charCodeAt(at) === point) at = this.#digits(at + 1)
    const mantissaEnd = at
    if ((text.charCodeAt(at) | 0x20) === 0x65) {
      const sign = text.charCodeAt(at + 1)
      at = this.#digits(sign === minus || sign === 0x2b ? at + 2 : at + 1)
    }
    this.#at = at
    const literal = text.slice(start, at)
    const value = Number(literal)
    // Up to 15 digits any decimal survives the way through a double (DBL_DIG of IEEE 754 binary64).
    const isShort = at === mantissaEnd && at - integerAt <= 15
    if (!isShort && isLossy(literal, value, at > mantissaEnd)) throw new Flaw('lossy-number', start)
    return value === 0 ? 0 : value
  }

  /** The end of a run of at least one digit. */
  #digits(start: number): number {
    let at = start
    for (;;) {
      const unit = this.#text.charCodeAt(at)
      if (!(unit >= zero && unit <= nine)) break
      at += 1
    }
    if (at === start) throw new Flaw('malformed', at)
    return at
  }

  #word(word: string, value: Json): Json {
    if (!this.#text.startsWith(word, this.#at)) throw new Flaw('malformed', this.#at)
    this.#at += word.length
    return value
  }

  /** Moves to the next character that is not white space and gives it. */
  #skipSpace(): number {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return unit
      this.#at += 1
    }
  }
}

/** From here on ECMAScript, and so the canonical form, writes an exponent; below, a whole number appears as a plain integer. */
const firstWithExponent = 1e21

function isLossy(literal: string, value: number, hasExponent: boolean): boolean {
  const magnitude = Math.abs(value)
  if (magnitude > Number.MAX_SAFE_INTEGER && (!hasExponent || magnitude < firstWithExponent)) return true
  return decimalOf(literal) !== decimalOf(String(value))
}

/** The value of a decimal literal in one spelling: its digits without outer zeros, and the power of ten of the last. */
function decimalOf(literal: string): string {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = withoutLeadingZeros(whole + fraction)
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === zero) end -= 1
  return end === 0 ? '0' : `${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

function withoutLeadingZeros(digits: string): string {
  let start = 0
  while (digits.charCodeAt(start) === zero) start += 1
  return digits.slice(start)
}

/** Texts up to this length are looked at here, which is faster than a call of `JSON.stringify`. */
const plainTextMax = 64

function canonicalString(value: string): string {
  if (value.length <= plainTextMax && isPlain(value)) return `"${value}"`
  if (!value.isWellFormed()) throw new TypeError('JSON has no canonical form for a lone surrogate')
  return JSON.stringify(value)
}

/** Printable ASCII that needs no escape. */
function isPlain(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const unit = value.charCodeAt(at)
    if (unit < 0x20 || unit > 0x7e || unit === quote || unit === backslash) return false
  }
  return true
}

function canonicalArray(values: readonly JsonInput[]): string {
  let text = '['
  for (const value of values) {
    if (text.length > 1) text += ','
    text += canonicalJson(value)
  }
  return `${text}]`
}

function canonicalObject(object: { readonly [member: string]: JsonInput | undefined }): string {
  let text = '{'
  // The default sort compares UTF-16 units, as RFC 8785 section 3.2.3 wants it.
  for (const name of Object.keys(object).sort()) {
    const value = object[name]
    if (value === undefined) continue
    if (text.length > 1) text += ','
    text += `${canonicalString(name)}:${canonicalJson(value)}`
  }
  return `${text}}`
}

/** `Array.isArray` does not narrow a union with a readonly array. */
function isArray(value: object): value is readonly JsonInput[] {
  return Array.isArray(value)
}
