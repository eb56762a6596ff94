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
 * @throws EventTooLarge beyond `eventBytesMax`. @see HTML standard, section 9.2.6
 */
export async function* readEvents(pieces: AsyncIterable<Uint8Array>, eventBytesMax: number): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  let id: string | undefined
  let event = ''
  let data: string[] = []
  let dataLength = 0
  let retryMs: number | undefined
  let hasField = false

  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true })
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    let end: RegExpExecArray | null
    const lineEnd = /\r\n|\n|\r(?!$)/g
    let start = 0
    while ((end = lineEnd.exec(rest)) !== null) {
      const line = rest.slice(start, end.index)
      start = lineEnd.lastIndex
      if (line === '') {
        if (hasField) yield { id, event: event === '' ? 'message' : event, data: data.join('\n'), retryMs }
        event = ''
        data = []
        dataLength = 0
        retryMs = undefined
        hasField = false
        continue
      }
      const [name, value] = splitField(line)
      switch (name) {
        case 'data':
          dataLength += value.length
          if (dataLength > eventBytesMax) throw new EventTooLarge(`an event is larger than ${eventBytesMax} bytes`)
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
          if (/^[0-9]{1,9}$/.test(value)) retryMs = Number(value)
          hasField = true
          break
      }
    }
    rest = rest.slice(start)
    if (rest.length > eventBytesMax) throw new EventTooLarge(`a line is longer than ${eventBytesMax} bytes`)
  }
}

function splitField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
