import type { BodyDecoder } from './body-decoder.ts'
import { BodyError, type InboundBody } from './inbound.ts'

/** What a body asks of its connection. */
export interface BodySource {
  /** The reader waits for the first time: the moment for `100 Continue`. */
  begin(): void
  /** Enough is buffered; take nothing more from the socket. */
  hold(): void
  /** The reader has caught up. */
  resume(): void
}

/** What each piece costs beside its bytes, so that a flood of one-byte chunks fills the buffer too. */
const pieceOverheadBytes = 128

/**
 * One request's body between the socket that fills it and the handler that reads it, with at most about `bufferBytes` in between.
 */
export class IncomingBody implements InboundBody {
  readonly #decoder: BodyDecoder
  readonly #source: BodySource
  readonly #bufferBytes: number
  #pieces: Uint8Array[] = []
  #buffered = 0
  #isHeld = false
  #isRead = false
  #isUnwanted = false
  #failure: BodyError | undefined
  #wake: (() => void) | undefined

  constructor(decoder: BodyDecoder, source: BodySource, bufferBytes: number) {
    this.#decoder = decoder
    this.#source = source
    this.#bufferBytes = bufferBytes
  }

  get length(): number | undefined {
    return this.#decoder.length
  }

  /** Every byte has arrived, read or not. */
  get isComplete(): boolean {
    return this.#decoder.isComplete
  }

  get failure(): BodyError | undefined {
    return this.#failure
  }

  /** Takes bytes from the connection and returns where the body ended in them. */
  receive(bytes: Buffer, offset: number): number {
    const pieces: Uint8Array[] = this.#isUnwanted ? [] : this.#pieces
    const before = pieces.length
    const end = this.#decoder.decode(bytes, offset, pieces)
    const { flaw } = this.#decoder
    if (flaw) this.fail(flaw.code, flaw.reason)
    if (this.#isUnwanted) return end
    for (let index = before; index < pieces.length; index++) this.#buffered += pieceOverheadBytes + (pieces[index]?.length ?? 0)
    if (!this.isComplete && this.#buffered > this.#bufferBytes) this.#hold()
    this.#notify()
    return end
  }

  /** The rest will not come. What has arrived can still be read; then the reader gets a `BodyError`. */
  fail(code: BodyError['code'], reason: string): void {
    if (this.isComplete || this.#failure) return
    this.#failure = new BodyError(code, reason)
    this.#notify()
  }

  /** Nobody reads what is left: it is dropped as it comes. */
  discard(): void {
    this.#isUnwanted = true
    this.#pieces = []
    this.#buffered = 0
    this.#resume()
    this.#notify()
  }

  read(): AsyncIterable<Uint8Array> {
    if (this.#isRead) throw new TypeError('a body is read once')
    this.#isRead = true
    return this.#drain()
  }

  async *#drain(): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.isComplete) this.#source.begin()
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece) {
          this.#buffered -= pieceOverheadBytes + piece.length
          if (this.#buffered < this.#bufferBytes / 2) this.#resume()
          yield piece
        } else if (this.#failure) {
          throw this.#failure
        } else if (this.isComplete) {
          return
        } else if (this.#isUnwanted) {
          throw new BodyError('edge.malformed', 'the exchange ended before the body was read')
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve))
        }
      }
    } finally {
      this.discard()
    }
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#source.hold()
  }

  #resume(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#source.resume()
  }
}
