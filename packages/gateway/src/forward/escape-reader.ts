/** One character as it was meant, and the units of the text that it was written with. */
export type OnCharacter = (character: number, start: number, end: number) => void

const percent = 0x25
const ampersand = 0x26
const backslash = 0x5c

/** An escape that was not finished within so many units is none. */
const pendingMax = 16
/** How deep unfinished escapes may stand in each other. */
const nestingMax = 3

/** What HTML has names for in printable ASCII, each name before its character. @see HTML Living Standard 13.5, Named character references */
const namesOfHtml =
  'excl! quot" num# dollar$ percnt% amp& apos\' lpar( rpar) ast* plus+ comma, period. sol/ colon: semi; lt< equals= gt> quest? commat@ ' +
  'lsqb[ lbrack[ bsol\\ rsqb] rbrack] hat^ lowbar_ grave` lcub{ lbrace{ verbar| vert| rcub} rbrace}'
const named: ReadonlyMap<string, number> = new Map(namesOfHtml.split(' ').map((word) => [word.slice(0, -1), word.charCodeAt(word.length - 1)]))

/**
 * Undoes the escapes of JSON and programming languages, of URLs and of HTML, in whatever order and how often they were put on each other: `\/`, `\\u0026`,
 * `%252f`, `&#x2F;`, `\u0026amp;`. A backslash that begins no such escape is left out, since every language doubles it otherwise.
 *
 * Works unit by unit and keeps back only what may be the beginning of an escape.
 */
export class EscapeReader {
  readonly #onCharacter: OnCharacter
  readonly #units: number[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(onCharacter: OnCharacter) {
    this.#onCharacter = onCharacter
  }

  get isEmpty(): boolean {
    return this.#units.length === 0
  }

  /** Where what is kept back begins. */
  get start(): number | undefined {
    return this.#starts[0]
  }

  take(unit: number, at: number): void {
    if (this.#units.length === 0 && !isOpener(unit)) return this.#onCharacter(unit, at, at + 1)
    this.#push(lower(unit), at, at + 1)
    this.#undo()
    while (this.#units.length > 0 && !this.#isUndecided()) this.#release()
  }

  /** The text ends here. */
  end(): void {
    while (this.#units.length > 0) this.#release()
  }

  #push(unit: number, start: number, end: number): void {
    this.#units.push(unit)
    this.#starts.push(start)
    this.#ends.push(end)
  }

  /** Replaces the escape that ends here by its character, which may end another. */
  #undo(): void {
    const units = this.#units
    for (let at = units.length - 1; at >= 0; at -= 1) {
      const character = isOpener(units[at]) ? meant(units, at) : undefined
      if (character === undefined) continue
      const start = this.#starts[at] ?? 0
      const end = this.#ends.at(-1) ?? 0
      units.length = this.#starts.length = this.#ends.length = at
      this.#push(lower(character), start, end)
      at = units.length
    }
  }

  #isUndecided(): boolean {
    return this.#units.length <= pendingMax && isBeginning(this.#units, 0, nestingMax)
  }

  #release(): void {
    const unit = this.#units.shift() ?? 0
    const start = this.#starts.shift() ?? 0
    const end = this.#ends.shift() ?? 0
    if (unit !== backslash) this.#onCharacter(unit, start, end)
    else if (this.#starts.length > 0) this.#starts[0] = start
  }
}

/** Pairs of units with which an escape can begin that means more than its last character. */
export function* openings(): Generator<readonly [first: number, second: number]> {
  for (let second = 0; second < 256; second += 1) {
    const folded = lower(second)
    if (isOpener(second) || isHexadecimal(folded)) yield [percent, second]
    if (isOpener(second) || isWord(folded) || second === hash) yield [ampersand, second]
    if (isOpener(second) || folded === letterU || folded === letterX) yield [backslash, second]
  }
}

/** The unit that makes the next one stand for itself. */
export const quoting = backslash

export function isOpener(unit: number | undefined): boolean {
  return unit === percent || unit === ampersand || unit === backslash
}

/** The character that the units from `at` to the end stand for, if they are a whole escape. */
function meant(units: readonly number[], at: number): number | undefined {
  const length = units.length - at
  const second = units[at + 1]
  switch (units[at]) {
    case percent:
      return length === 3 ? hexadecimal(units, at + 1) : undefined
    case backslash:
      if (length === 2) return second === letterU || second === letterX ? undefined : second
      return (length === 6 && second === letterU) || (length === 4 && second === letterX) ? hexadecimal(units, at + 2) : undefined
    default:
      return length > 2 && units.at(-1) === semicolon ? reference(String.fromCharCode(...units.slice(at + 1, -1))) : undefined
  }
}

const letterU = 0x75
const letterX = 0x78
const semicolon = 0x3b
const hash = 0x23

function hexadecimal(units: readonly number[], from: number): number | undefined {
  let value = 0
  for (let at = from; at < units.length; at += 1) {
    const unit = units[at] ?? 0
    if (!isHexadecimal(unit)) return undefined
    value = value * 16 + (unit <= 0x39 ? unit - 0x30 : unit - 0x57)
  }
  return value
}

function reference(text: string): number | undefined {
  if (/^#[0-9]{1,7}$/.test(text)) return Number(text.slice(1))
  if (/^#x[0-9a-f]{1,6}$/.test(text)) return Number.parseInt(text.slice(2), 16)
  return named.get(text)
}

/** Whether more units could make an escape of what begins at `from`; escapes inside of it may still be unfinished. */
function isBeginning(units: readonly number[], from: number, nesting: number): boolean {
  let at = from + 1
  switch (units[from]) {
    case percent:
      at += run(units, at, 2, isHexadecimal)
      break
    case backslash:
      at += units[at] === letterU ? 1 + run(units, at + 1, 4, isHexadecimal) : units[at] === letterX ? 1 + run(units, at + 1, 2, isHexadecimal) : 0
      break
    case ampersand:
      at += units[at] === hash ? 1 + run(units, at + 1, 7, isWord) : run(units, at, 8, isWord)
      break
    default:
      return false
  }
  return at >= units.length || (nesting > 1 && isOpener(units[at]) && isBeginning(units, at, nesting - 1))
}

function run(units: readonly number[], from: number, max: number, fits: (unit: number) => boolean): number {
  let length = 0
  while (length < max && from + length < units.length && fits(units[from + length] ?? 0)) length += 1
  return length
}

function isHexadecimal(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66)
}

function isWord(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x7a)
}

function lower(unit: number): number {
  return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit
}
