import { EscapeReader, isOpener, openings, quoting } from './escape-reader.ts'

/** Shorter values could not be told apart from ordinary text in an answer. */
export const secretCharactersMin = 8

/**
 * The forms in which programs repeat a secret, as one automaton that reads a text once: the secret itself, in hexadecimal, and in base64 and base64url, also as a
 * part of a longer text; of a Basic credential or a URL with a password also what it holds. Upper and lower case count as the same.
 *
 * @see Aho and Corasick, Efficient string matching (1975)
 */
export class EchoPattern {
  /** The most characters that a form has. */
  readonly lengthMax: number
  /** By `first * 256 + second`: 1 where two bytes may be the beginning of a form or of an escape. Most of a text is passed over by this alone. */
  readonly isLoud: Readonly<Uint8Array>
  /** Edges by `state * 256 + character`. */
  readonly #next = new Map<number, number>()
  /** How many characters of a form have been read. */
  readonly #depths = [0]
  /** Where to go on when no edge fits: the longest end of what was read that is a beginning, too. */
  readonly #fallbacks = [0]
  /** How many of the last characters are a whole form; 0 for none. */
  readonly #found = [0]

  constructor(secrets: readonly string[]) {
    const forms = new Set(secrets.flatMap(partsOf).flatMap(formsOf).flatMap(readings))
    const nodes: { readonly state: number; readonly parent: number; readonly character: number }[] = []
    for (const form of forms) {
      if (form.length < secretCharactersMin) continue
      let state = 0
      for (const character of Buffer.from(form, 'latin1')) {
        const edge = state * 256 + character
        const parent = state
        state = this.#next.get(edge) ?? this.#depths.length
        if (state < this.#depths.length) continue
        this.#next.set(edge, state)
        this.#depths.push(this.#depthOf(parent) + 1)
        this.#fallbacks.push(0)
        this.#found.push(0)
        nodes.push({ state, parent, character })
      }
      this.#found[state] = form.length
    }
    this.lengthMax = Math.max(0, ...this.#depths)
    for (const { state, parent, character } of nodes.sort((one, other) => this.#depthOf(one.state) - this.#depthOf(other.state))) {
      const fallback = parent === 0 ? 0 : this.step(this.#fallbacks[parent] ?? 0, character)
      this.#fallbacks[state] = fallback
      this.#found[state] ||= this.found(fallback)
    }
    this.isLoud = this.#loudPairs()
  }

  /** The state after one more character, from 0 at the beginning. */
  step(state: number, character: number): number {
    const folded = fold(character)
    for (let from = state; ; from = this.#fallbacks[from] ?? 0) {
      const next = this.#next.get(from * 256 + folded)
      if (next !== undefined) return next
      if (from === 0) return 0
    }
  }

  /** How many of the last characters could be the beginning of a form. */
  begun(state: number): number {
    return this.#depthOf(state)
  }

  /** How many of the last characters are a form; 0 for none. */
  found(state: number): number {
    return this.#found[state] ?? 0
  }

  #loudPairs(): Uint8Array {
    const loud = new Uint8Array(65_536)
    for (const [first, second] of openings()) loud[first * 256 + second] = 1
    for (let first = 0; first < 256; first += 1) {
      const begun = this.step(0, first)
      if (begun === 0) continue
      loud[quoting * 256 + first] = 1
      for (let second = 0; second < 256; second += 1) if (isOpener(second) || this.#next.has(begun * 256 + fold(second))) loud[first * 256 + second] = 1
    }
    return loud
  }

  #depthOf(state: number): number {
    return this.#depths[state] ?? 0
  }
}

/** One spelling for characters that encodings and servers take for each other: case, base64 and base64url, a space and the plus of a form. */
function fold(character: number): number {
  if (character >= 0x41 && character <= 0x5a) return character + 0x20
  switch (character) {
    case 0x20: // space
    case 0x2d: // -
      return 0x2b // +
    case 0x5f: // _
      return 0x2f // /
    default:
      return character > 0xff ? 0 : character
  }
}

/** What of a secret is secret on its own, one character a byte: its lines, and the password in it, which a server may show that complains about it. */
function partsOf(secret: string): readonly string[] {
  const decoded = decodedBase64(secret)
  const [, inUrl = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^:@/]*:([^@/]+)@/i.exec(secret) ?? []
  const inBasic = decoded.includes(':') ? decoded.slice(decoded.indexOf(':') + 1) : ''
  const parts = [...secret.split(/[\r\n]+/), decoded, inBasic, inUrl].map((part) => Buffer.from(part).toString('latin1'))
  return parts.filter((part) => part.length >= secretCharactersMin)
}

function decodedBase64(secret: string): string {
  if (secret.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) return ''
  const decoded = Buffer.from(secret, 'base64').toString('latin1')
  return /^[\x20-\x7e]+$/.test(decoded) ? decoded : ''
}

function formsOf(part: string): readonly string[] {
  return [part, Buffer.from(part, 'latin1').toString('hex'), ...[0, 1, 2].map((bytesBefore) => insideBase64(part, bytesBefore))]
}

/** The characters of base64 that depend on nothing but the part, when so many bytes (modulo 3) stand before it. */
function insideBase64(part: string, bytesBefore: number): string {
  const bytes = Buffer.concat([Buffer.alloc(bytesBefore), Buffer.from(part, 'latin1')])
  return bytes.toString('base64').slice(Math.ceil((bytesBefore * 8) / 6), Math.floor((bytes.length * 8) / 6))
}

/** A form as it stands, and as it reads with its own escapes undone, both folded. */
function readings(form: string): readonly string[] {
  let undone = ''
  const reader = new EscapeReader((character) => (undone += String.fromCharCode(fold(character))))
  for (let at = 0; at < form.length; at += 1) reader.take(form.charCodeAt(at), at)
  reader.end()
  return [Array.from(form, (character) => String.fromCharCode(fold(character.charCodeAt(0)))).join(''), undone]
}
