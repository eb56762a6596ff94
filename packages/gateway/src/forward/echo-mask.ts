const mask = 0x2a // *

/**
 * Blanks a secret out of a stream of bytes, with as many asterisks, also where it is cut by the borders of pieces.
 *
 * Keeps back only what could be the beginning of a secret, so that an event stream is not delayed: an event ends with a line break, and no secret holds one.
 */
export class EchoMask {
  readonly #spellings: readonly Buffer[]
  readonly #lookBehindMax: number
  #kept: Buffer = Buffer.alloc(0)

  constructor(spellings: readonly Buffer[]) {
    this.#spellings = spellings
    this.#lookBehindMax = Math.max(0, ...spellings.map(({ length }) => length - 1))
  }

  /** What may pass on, perhaps nothing yet. */
  pass(piece: Buffer): Buffer {
    const bytes = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece])
    const masked = blank(bytes, this.#spellings)
    const keptBytes = this.#beginning(masked)
    // A copy, since the piece belongs to whoever gave it.
    this.#kept = Buffer.from(masked.subarray(masked.length - keptBytes))
    return masked.subarray(0, masked.length - keptBytes)
  }

  /** What was kept back at the end. */
  end(): Buffer {
    const rest = this.#kept
    this.#kept = Buffer.alloc(0)
    return rest
  }

  /** The length of the longest end of `bytes` that a spelling begins with. */
  #beginning(bytes: Buffer): number {
    const longest = Math.min(this.#lookBehindMax, bytes.length)
    for (let length = longest; length > 0; length -= 1) {
      const end = bytes.subarray(bytes.length - length)
      if (this.#spellings.some((spelling) => spelling.length > length && spelling[0] === end[0] && spelling.subarray(0, length).equals(end))) return length
    }
    return 0
  }
}

/** The text (one character a byte) without the secret. */
export function maskText(text: string, spellings: readonly Buffer[]): string {
  return spellings.reduce((masked, spelling) => masked.replaceAll(spelling.toString('latin1'), '*'.repeat(spelling.length)), text)
}

function blank(bytes: Buffer, spellings: readonly Buffer[]): Buffer {
  let masked = bytes
  for (const spelling of spellings) {
    for (let at = masked.indexOf(spelling); at !== -1; at = masked.indexOf(spelling, at + spelling.length)) {
      if (masked === bytes) masked = Buffer.from(bytes)
      masked.fill(mask, at, at + spelling.length)
    }
  }
  return masked
}
