import { GatheredBytes, refused } from '@sallyport/contract'
import { brokenAnswer } from '../../forward/exchange.ts'

const lineFeed = 0x0a

/**
 * Cuts a byte stream into lines without their line feed.
 *
 * @throws Fault for a line of more than `lineBytesMax` bytes, before all of it is held.
 */
export class LineCutter {
  readonly #lineBytesMax: number
  readonly #held = new GatheredBytes()

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  *take(bytes: Uint8Array): Generator<Uint8Array> {
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      this.#hold(bytes.subarray(start, end))
      yield this.#release()
      start = end + 1
    }
    this.#hold(bytes.subarray(start))
  }

  #hold(piece: Uint8Array): void {
    if (this.#held.length + piece.length > this.#lineBytesMax)
      throw brokenAnswer(refused('forward.answer-too-large', 'a line of the server is longer than its limit'))
    this.#held.add(piece)
  }

  #release(): Uint8Array {
    const line = this.#held.take()
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
  }
}
