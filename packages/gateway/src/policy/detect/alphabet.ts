/** A set of characters below U+0100, by their code. */
export type Alphabet = Readonly<Uint8Array>

/** `A-Za-z0-9_`: ranges and single characters; a hyphen that is meant stands last. */
export function alphabet(characters: string): Alphabet {
  const set = new Uint8Array(256)
  for (let at = 0; at < characters.length; at += 1) {
    const first = characters.charCodeAt(at)
    const isRange = characters[at + 1] === '-' && at + 2 < characters.length
    const last = isRange ? characters.charCodeAt(at + 2) : first
    set.fill(1, first, last + 1)
    if (isRange) at += 2
  }
  return set
}

export const digits = alphabet('0-9')
export const hexadecimal = alphabet('0-9A-Fa-f')
export const base62 = alphabet('0-9A-Za-z')
export const base64 = alphabet('0-9A-Za-z+/')
export const base64url = alphabet('0-9A-Za-z_-')
export const anyBase64 = alphabet('0-9A-Za-z+/_-')
export const upperAndDigits = alphabet('0-9A-Z')

/** False outside of the text. */
export function isAt(text: string, at: number, set: Alphabet): boolean {
  return set[text.charCodeAt(at)] === 1
}

/** Where the run of these characters that begins at `at` ends, or `limit`. */
export function runEnd(text: string, at: number, set: Alphabet, limit = text.length): number {
  let end = at
  while (end < limit && set[text.charCodeAt(end)] === 1) end += 1
  return end
}

/** Where the run of these characters that ends before `end` begins, or `limit`. */
export function runStart(text: string, end: number, set: Alphabet, limit = 0): number {
  let start = end
  while (start > limit && set[text.charCodeAt(start - 1)] === 1) start -= 1
  return start
}

/** The runs of at least so many of these characters before `limit`, from left to right. Most of a text is passed over: a long run covers every so many places. */
export function* longRuns(
  text: string,
  from: number,
  set: Alphabet,
  min: number,
  limit = text.length,
): Generator<{ readonly start: number; readonly end: number }> {
  let passed = from
  for (let at = from + min - 1; at < limit;) {
    if (set[text.charCodeAt(at)] !== 1) {
      at += min
      continue
    }
    const start = runStart(text, at, set, passed)
    const end = runEnd(text, at, set, limit)
    if (end - start >= min) yield { start, end }
    passed = end
    at = end + min
  }
}
