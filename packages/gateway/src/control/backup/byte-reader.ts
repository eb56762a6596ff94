import { Fault } from '@sallyport/contract'

/** Takes bytes off a stream in the lengths that a format asks for. Holds no more than one piece of the stream and what is asked for. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Exactly so many bytes. @throws Fault `not-done` when the stream ends before */
  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const piece of this.pass(length)) parts.push(piece)
    return Buffer.concat(parts)
  }

  /** Up to `length` bytes; fewer only at the end of the stream. */
  async takeUpTo(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    let rest = length
    while (rest > 0 && (await this.#fill())) {
      const piece = this.#cut(rest)
      rest -= piece.length
      parts.push(piece)
    }
    return Buffer.concat(parts)
  }

  /** The bytes up to the next line feed, without it. @throws Fault `not-done` when there is none within `lengthMax` bytes */
  async line(lengthMax: number): Promise<string> {
    const bytes: number[] = []
    for (;;) {
      const [byte = 0] = await this.take(1)
      if (byte === 0x0a) return Buffer.from(bytes).toString('utf8')
      bytes.push(byte)
      if (bytes.length > lengthMax) throw new Fault('the head of the file is too long', 'not-done')
    }
  }

  /** So many bytes, piece by piece. @throws Fault `not-done` when the stream ends before */
  async *pass(length: number): AsyncGenerator<Buffer> {
    let rest = length
    while (rest > 0) {
      if (!(await this.#fill())) throw new Fault('the file was cut: it ends before its content does', 'not-done')
      const piece = this.#cut(rest)
      rest -= piece.length
      yield piece
    }
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    while (await this.#fill()) yield this.#cut(this.#held.length)
  }

  /** False at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#source.next()
      if (next.done === true) return false
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length)
    }
    return true
  }

  #cut(lengthMax: number): Buffer {
    const piece = this.#held.subarray(0, lengthMax)
    this.#held = this.#held.subarray(piece.length)
    return piece
  }
}
