import type { BodyDecoder, BodyFlaw } from './body-decoder.ts'

/** 4 GiB less one: more than any limit on a body, and far from where numbers lose their precision. */
const sizeDigitsMax = 8
const carriageReturn = 0x0d
const lineFeed = 0x0a

type Expected = 'first-digit' | 'digit' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'last-cr' | 'last-lf' | 'nothing'

/**
 * A body in chunks. Chunk extensions and trailer fields are refused, since proxies disagree on where they end (the `TERM.EXT` class of request smuggling);
 * so are leading zeros, white space around the size, and any line end but CRLF.
 *
 * @see RFC 9112 section 7.1
 */
export class ChunkedDecoder implements BodyDecoder {
  readonly length = undefined
  flaw: BodyFlaw | undefined
  readonly #bytesMax: number
  #expected: Expected = 'first-digit'
  #size = 0
  #digits = 0
  #total = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isComplete(): boolean {
    return this.#expected === 'nothing'
  }

  decode(bytes: Buffer, offset: number, pieces: Uint8Array[]): number {
    let index = offset
    while (index < bytes.length && this.#expected !== 'nothing' && !this.flaw) {
      if (this.#expected === 'data') {
        const end = Math.min(bytes.length, index + this.#size)
        pieces.push(bytes.subarray(index, end))
        this.#size -= end - index
        index = end
        if (this.#size === 0) this.#expected = 'data-cr'
        continue
      }
      this.flaw = this.#takeFraming(bytes[index] ?? 0)
      if (!this.flaw) index++
    }
    return index
  }

  #takeFraming(byte: number): BodyFlaw | undefined {
    switch (this.#expected) {
      case 'first-digit':
      case 'digit':
        return byte === carriageReturn && this.#expected === 'digit' ? this.#endSize() : this.#takeDigit(byte)
      case 'size-lf':
        return this.#take(byte, lineFeed, this.#size === 0 ? 'last-cr' : 'data')
      case 'data-cr':
        return this.#take(byte, carriageReturn, 'data-lf')
      case 'data-lf':
        return this.#take(byte, lineFeed, 'first-digit')
      case 'last-cr':
        return this.#take(byte, carriageReturn, 'last-lf')
      case 'last-lf':
        return this.#take(byte, lineFeed, 'nothing')
      case 'data':
      case 'nothing':
        throw new TypeError('no framing is expected here')
    }
  }

  #take(byte: number, expected: number, next: Expected): BodyFlaw | undefined {
    if (byte !== expected) return malformed(this.#expected === 'last-cr' ? 'a chunked body has trailer fields' : 'a chunk does not end where its size says')
    this.#expected = next
    return undefined
  }

  #takeDigit(byte: number): BodyFlaw | undefined {
    const digit = hexDigit(byte)
    if (digit < 0) return malformed('a chunk size is not a plain hexadecimal number')
    if (this.#expected === 'first-digit') {
      this.#size = 0
      this.#digits = 0
      this.#expected = 'digit'
    } else if (this.#size === 0) {
      return malformed('a chunk size has a leading zero')
    }
    if (++this.#digits > sizeDigitsMax) return malformed('a chunk size has too many digits')
    this.#size = this.#size * 16 + digit
    return undefined
  }

  #endSize(): BodyFlaw | undefined {
    this.#total += this.#size
    if (this.#total > this.#bytesMax) return { code: 'edge.too-large', reason: `a body has at most ${this.#bytesMax} bytes` }
    this.#expected = 'size-lf'
    return undefined
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57
  return -1
}

function malformed(reason: string): BodyFlaw {
  return { code: 'edge.malformed', reason }
}
