import { Fault, refused } from '@sallyport/contract'
import { EventSplitter } from '../event-splitter.ts'
import { brokenAnswer } from '../exchange.ts'

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
 * @throws Fault for an event larger than `eventBytesMax`, its line ends counted, or one that is not UTF-8.
 * @see HTML Living Standard 9.2, Server-sent events
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>, eventBytesMax: number): AsyncGenerator<StreamEvent> {
  const splitter = new EventSplitter(eventBytesMax)
  let isFirst = true
  for await (const piece of bytes) {
    for (const sent of splitter.take(piece)) {
      if (sent.length > eventBytesMax) throw tooLarge()
      const event = parseEvent(isFirst ? textOf(sent).replace(/^\u{feff}/u, '') : textOf(sent))
      isFirst = false
      if (event) yield event
    }
    if (splitter.isOverfull) throw tooLarge()
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

/** Undefined where there is nothing to tell: no field that counts, or an event of another type. */
function parseEvent(text: string): StreamEvent | undefined {
  const data: string[] = []
  let type = ''
  let id: string | undefined
  let retryMs: number | undefined
  let isComment = false
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (colon === 0) isComment = true
    else if (field === 'data') data.push(value)
    else if (field === 'event') type = value
    else if (field === 'id' && /^[\x20-\x7e]*$/.test(value) && value.length <= idLengthMax) id = value
    else if (field === 'retry' && /^[0-9]{1,9}$/.test(value)) retryMs = Math.min(Number(value), retryMsMax)
  }
  if (type !== '' && type !== 'message') return undefined
  const joined = data.join('\n')
  const more = { ...(id !== undefined && { id }), ...(retryMs !== undefined && { retryMs }) }
  const isEmpty = joined === '' && Object.keys(more).length === 0 && !isComment
  return isEmpty ? undefined : { data: joined === '' ? undefined : joined, ...more }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(sent: Uint8Array): string {
  try {
    return utf8.decode(sent)
  } catch (error) {
    throw new Fault('the event stream is not UTF-8', 'unknown', error)
  }
}

function tooLarge(): Fault {
  return brokenAnswer(refused('forward.answer-too-large', 'an event of the upstream is larger than its limit'))
}
