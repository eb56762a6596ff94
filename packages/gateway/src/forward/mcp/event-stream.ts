import { Fault } from '@sallyport/contract'

/** One event of a stream, or a comment that only keeps it alive. */
export interface StreamEvent {
  readonly data: string | undefined
  /** Where a client may resume after this event. */
  readonly id?: string
  /** Milliseconds to wait before resuming. */
  readonly retryMs?: number
}

const idLengthMax = 1024
const retryMsMax = 3_600_000

/**
 * Reads server-sent events as they arrive; an event that the stream ends in the middle of is dropped, as the standard says.
 *
 * @throws Fault for an event larger than `eventBytesMax` or bytes that are not UTF-8.
 * @see HTML Living Standard 9.2, Server-sent events
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>, eventBytesMax: number): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let pending = new PendingEvent()
  for await (const piece of bytes) {
    rest += decode(decoder, piece)
    // A carriage return at the end of a piece may be half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') {
        pending.take(line)
      } else {
        const event = pending.finish()
        if (event) yield event
        pending = new PendingEvent()
      }
      if (pending.length > eventBytesMax) throw tooLarge()
    }
    if (pending.length + rest.length > eventBytesMax) throw tooLarge()
  }
}

export function writeEvent({ data, id, retryMs }: StreamEvent): Uint8Array {
  if (data === undefined && id === undefined && retryMs === undefined) return Buffer.from(': \n\n')
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retryMs === undefined ? [] : [`retry: ${retryMs}`]),
    ...(data === undefined ? ['data: '] : ['event: message', `data: ${data}`]), // JSON text has no line breaks of its own
  ]
  return Buffer.from(`${lines.join('\n')}\n\n`)
}

class PendingEvent {
  #data: string[] = []
  #type = ''
  #id: string | undefined
  #retryMs: number | undefined
  #isComment = false
  length = 0

  take(line: string): void {
    this.length += line.length
    const colon = line.indexOf(':')
    if (colon === 0) {
      this.#isComment = true
      return
    }
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#type = value
    else if (field === 'id' && /^[\x20-\x7e]*$/.test(value) && value.length <= idLengthMax) this.#id = value
    else if (field === 'retry' && /^[0-9]{1,9}$/.test(value)) this.#retryMs = Math.min(Number(value), retryMsMax)
  }

  finish(): StreamEvent | undefined {
    const text = this.#data.join('\n')
    const isMessage = this.#type === '' || this.#type === 'message'
    if (!isMessage) return undefined
    const data = text === '' ? undefined : text
    const more = { ...(this.#id !== undefined && { id: this.#id }), ...(this.#retryMs !== undefined && { retryMs: this.#retryMs }) }
    return data === undefined && Object.keys(more).length === 0 && !this.#isComment ? undefined : { data, ...more }
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true })
  } catch (error) {
    throw new Fault('the event stream is not UTF-8', 'unknown', error)
  }
}

function tooLarge(): Fault {
  return new Fault('an event of the upstream is larger than its limit', 'unknown')
}
