import { GatheredBytes } from '@sallyport/contract'

/** One event of `text/event-stream`. */
export interface StreamEvent {
  /** The last id seen so far, for `Last-Event-ID`. */
  readonly id: string | undefined
  readonly event: string
  /** Lines joined with a line feed; empty for a priming event that only carries an id. */
  readonly data: string
  readonly retryMs: number | undefined
}

/** An event, or a line without an end, is larger than was allowed. */
export class EventTooLarge extends Error {}

/**
 * Reads an event stream piece by piece. An event is yielded when its blank line has come; one that breaks off is not.
 *
 * @throws EventTooLarge for an event of more than `eventBytesMax`, its line ends counted, before more than one piece beyond it is held.
 * @see HTML standard, section 9.2.6
 */
export async function* readEvents(pieces: AsyncIterable<Uint8Array>, eventBytesMax: number): AsyncGenerator<StreamEvent> {
  const lines = new EventLines(eventBytesMax)
  let id: string | undefined
  let event = ''
  let data: string[] = []
  let retryMs: number | undefined
  let hasField = false

  for await (const piece of pieces) {
    for (const line of lines.take(piece)) {
      if (line === '') {
        if (hasField) yield { id, event: event === '' ? 'message' : event, data: data.join('\n'), retryMs }
        event = ''
        data = []
        retryMs = undefined
        hasField = false
        continue
      }
      const [name, value] = splitField(line)
      switch (name) {
        case 'data':
          data.push(value)
          hasField = true
          break
        case 'event':
          event = value
          hasField = true
          break
        case 'id':
          if (!value.includes('\0')) id = value
          hasField = true
          break
        case 'retry':
          if (/^[0-9]{1,9}$/.test(value)) {
            retryMs = Number(value)
            hasField = true
          }
          break
      }
    }
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Cuts bytes into the lines of events, whichever of the three line ends they have. A line is there when its end is; the second half of a CRLF may come later. */
class EventLines {
  readonly #eventBytesMax: number
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  readonly #held = new GatheredBytes()
  #eventBytes = 0
  #isAfterReturn = false
  #isFirst = true

  constructor(eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax
  }

  *take(piece: Uint8Array): Generator<string> {
    let start = 0
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]
      const isSecondHalf = byte === lineFeed && this.#isAfterReturn
      this.#isAfterReturn = byte === carriageReturn
      if (byte !== lineFeed && byte !== carriageReturn) continue
      if (!isSecondHalf) {
        this.#hold(piece.subarray(start, at))
        yield this.#release()
      }
      start = at + 1
    }
    this.#hold(piece.subarray(start))
  }

  #hold(part: Uint8Array): void {
    this.#eventBytes += part.length
    if (this.#eventBytes > this.#eventBytesMax) throw new EventTooLarge(`an event is larger than ${this.#eventBytesMax} bytes`)
    this.#held.add(part)
  }

  #release(): string {
    const isBlank = this.#held.length === 0
    this.#eventBytes = isBlank ? 0 : this.#eventBytes + 1
    const line = this.#decoder.decode(this.#held.take())
    const isFirst = this.#isFirst
    this.#isFirst = false
    return isFirst ? line.replace(/^\u{feff}/u, '') : line
  }
}

function splitField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
