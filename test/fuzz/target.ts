import type fc from 'fast-check'

/** A reader of bytes that others choose, and what must hold whatever they choose. */
export interface Target {
  readonly name: string
  /** Inputs to begin with: mostly well-formed, so that mutations of them get past the first checks. */
  readonly inputs: fc.Arbitrary<Uint8Array>
  /** Pieces of the format that a mutation may put anywhere. */
  readonly words: readonly string[]
  /** Longest input that is tried. */
  readonly bytesMax: number
  /** Rejects or throws when a promise of the reader is broken by this input; a refusal by the reader is no failure. */
  check(input: Uint8Array): void | Promise<void>
}

/** As text in which every byte is one character, for formats of ASCII. */
export function latin1(input: Uint8Array): string {
  return Buffer.from(input).toString('latin1')
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

/** The same bytes cut in three ways: whole, byte by byte, and in uneven pieces whose ends the bytes themselves decide. */
export function cuts(input: Uint8Array): readonly (readonly Uint8Array[])[] {
  const uneven: Uint8Array[] = []
  for (let at = 0; at < input.length;) {
    const end = at + 1 + ((input[at] ?? 0) % 7)
    uneven.push(input.slice(at, end))
    at = end
  }
  return [[input], Array.from(input, (byte) => Uint8Array.of(byte)), uneven]
}

export async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece)
}
