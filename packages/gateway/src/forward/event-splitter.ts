import { GatheredBytes } from '@sallyport/contract'

const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * Cuts a stream into its events, bytes unchanged, each with the blank line that ends it. Holds at most one event, and of that not more than one piece past `eventBytesMax`.
 *
 * @see HTML Living Standard 9.2.6, Interpreting an event stream
 */
export class EventSplitter {
  readonly #eventBytesMax: number
  readonly #held = new GatheredBytes()
  #lineBytes = 0
  #isAfterReturn = false

  constructor(eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax
  }

  /** The event that is held is larger than its limit: take no more, only the `rest`. */
  get isOverfull(): boolean {
    return this.#held.length > this.#eventBytesMax
  }

  /** The events that end in this piece. */
  take(piece: Uint8Array): readonly Uint8Array[] {
    const events: Uint8Array[] = []
    let from = 0
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]
      const isSecondHalf = byte === lineFeed && this.#isAfterReturn
      this.#isAfterReturn = byte === carriageReturn
      if (isSecondHalf) continue
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#lineBytes += 1
        continue
      }
      const isBlank = this.#lineBytes === 0
      this.#lineBytes = 0
      if (!isBlank) continue
      const end = byte === carriageReturn && piece[at + 1] === lineFeed ? at + 2 : at + 1
      this.#held.add(piece.subarray(from, end))
      events.push(this.rest())
      from = end
    }
    this.#held.add(piece.subarray(from))
    return events
  }

  /** What is held of an event that has not ended, and forgets it. */
  rest(): Uint8Array {
    return this.#held.take()
  }
}

/** The data of an event, its lines joined; undefined when it has none. */
export function dataOf(event: Uint8Array): string | undefined {
  const lines = Buffer.from(event.buffer, event.byteOffset, event.length)
    .toString('utf8')
    .split(/\r\n|\n|\r/)
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).replace(/^ /, ''))
  return data.length === 0 ? undefined : data.join('\n')
}
