import { refused, type Refused } from '@sallyport/contract'
import { isJson, parseMediaType } from '../../access/media-type.ts'
import { headerValue, type HeaderLines } from '../../edge/inbound.ts'
import { scan } from '../../policy/detect/scan.ts'
import type { Screening } from '../../policy/results.ts'
import { brokenAnswer, refusalOf, type UpstreamAnswer } from '../exchange.ts'
import { EventScreen } from './event-screen.ts'
import { applyEdits, treatFindings } from '../../policy/redact/redact-text.ts'
import { TextScreen, type Screen } from './text-screen.ts'

/** How much of an answer that could be denied is looked through before any of it leaves; of an event stream, its first events. */
const withheldBytesMax = 65_536

/** What an answer says about its own bytes, which no longer are these. @see RFC 9530 */
const digests: ReadonlySet<string> = new Set(['content-digest', 'repr-digest', 'digest', 'content-md5'])

/**
 * Looks an answer through as it streams: headers and, where it is text, body. In shadow mode it passes as it is and at once.
 *
 * Refuses `policy.result-denied` when what must not pass is found before anything has left; afterwards the body throws that refusal as its end.
 */
export async function screenAnswer(answer: UpstreamAnswer, isBodiless: boolean, screening: Screening): Promise<UpstreamAnswer | Refused> {
  const headers = screenHeaders(answer.headers, screening)
  if (!headers) return refuse(answer, 'a header field')
  if (isBodiless) return { ...answer, headers }
  const screen = screenFor(answer.headers, screening)
  if (!screen) return screening.deniesBinary ? refuse(answer, 'that cannot be read') : { ...answer, headers }
  if (!screening.isEnforced) return { ...answer, body: new WatchedAnswer(answer.body, screen) }
  const body = new ScreenedBody(answer.body, screen, screening.deniesBinary)
  const isStream = screen instanceof EventScreen
  const refusal = screening.canDeny ? await body.withhold(isStream ? 1 : withheldBytesMax) : undefined
  return refusal ?? { ...answer, headers: headers.filter(([name]) => !digests.has(name)), body, bodyBytes: undefined }
}

async function refuse({ body }: UpstreamAnswer, what: string): Promise<Refused> {
  await body[Symbol.asyncIterator]().return?.()
  return deniedAnswer(what)
}

/** The refusal of an answer; where something was found is for the log. */
export function deniedAnswer(where: string): Refused {
  return refused('policy.result-denied', `a rule for results denies the answer: ${where}`, {
    detail: 'The upstream carried out the call; what it answered is withheld.',
  })
}

/** Undefined when they are denied. */
function screenHeaders(headers: HeaderLines, screening: Screening): HeaderLines | undefined {
  let isDenied = false
  const screened = headers.map(([name, value]): HeaderLines[number] => {
    if (name === 'content-type') return [name, value]
    const treated = treatFindings(scan(value, 0, true, screening.detectors).findings, screening)
    isDenied ||= treated.isDenied
    return [name, applyEdits(value, treated.edits)]
  })
  return isDenied ? undefined : screened
}

/** Text beside `text/*` and what names itself JSON, XML or YAML. */
const textual =
  /^(?:text\/.*|multipart\/.*|message\/.*|.*\+(?:xml|yaml)|application\/(?:xml|yaml|x-yaml|toml|sql|graphql|javascript|ecmascript|x-javascript|typescript|x-sh|csv|rtf|jwt|jose|pgp-keys|pem-certificate-chain|x-pem-file|x-www-form-urlencoded))$/
const jsonLines = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|json-seq|stream\+json)$/
/** Character sets in which ASCII stands for itself. */
const asciiSets = /^(?:utf-?8|us-ascii|ascii|iso-8859-[0-9]{1,2}|latin1|windows-125[0-8]|koi8-[ru]|gbk|gb2312|gb18030|big5|euc-(?:jp|kr)|shift_jis)$/i

/** Undefined for what is no text. Without a type it may be text to whoever reads it. */
function screenFor(headers: HeaderLines, screening: Screening): Screen | undefined {
  const coding = headerValue(headers, 'content-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return undefined // only in shadow mode, else the exchange has refused it
  const written = headerValue(headers, 'content-type')
  if (written === undefined) return new TextScreen(screening, 'plain')
  const type = parseMediaType(written)
  // What is malformed is guessed by clients; it is taken for text.
  if (!type) return new TextScreen(screening, 'plain')
  if (!asciiSets.test(type.parameters.get('charset') ?? 'utf-8')) return undefined
  if (type.name === 'text/event-stream') return new EventScreen(screening)
  if (isJson(type) || jsonLines.test(type.name)) return new TextScreen(screening, 'json')
  return textual.test(type.name) ? new TextScreen(screening, 'plain') : undefined
}

const nothing = new Uint8Array(0)

/** A body that passes as it is while it is looked through. */
class WatchedAnswer implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #screen: Screen

  constructor(source: AsyncIterable<Uint8Array>, screen: Screen) {
    this.#source = source[Symbol.asyncIterator]()
    this.#screen = screen
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const step = await this.#source.next()
    if (step.done) this.#screen.end()
    else this.#screen.pass(step.value)
    return step
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#source.return?.()
    return { done: true, value: undefined }
  }
}

/** A body of which only passes what the screen lets pass. */
class ScreenedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #screen: Screen
  readonly #deniesUnreadable: boolean
  readonly #ready: Uint8Array[] = []
  #readyBytes = 0
  /** The first byte, until there are two to tell a byte order mark by. */
  #begun: Uint8Array | undefined = new Uint8Array(0)
  /** UTF-16 under another name: it passes as what is no text does. */
  #isUnreadable = false
  #isDone = false

  constructor(source: AsyncIterable<Uint8Array>, screen: Screen, deniesUnreadable: boolean) {
    this.#source = source[Symbol.asyncIterator]()
    this.#screen = screen
    this.#deniesUnreadable = deniesUnreadable
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Reads ahead. Gives the refusal when that much of the answer, or all of it, is denied or breaks off. */
  async withhold(bytesMax: number): Promise<Refused | undefined> {
    try {
      while (this.#readyBytes < bytesMax && !this.#isDone) {
        const refusal = await this.#readOn()
        if (refusal) return refusal
      }
      return undefined
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal) return refusal
      throw error
    }
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const piece = this.#ready.shift()
      if (piece) {
        this.#readyBytes -= piece.length
        return { done: false, value: piece }
      }
      if (this.#isDone) return { done: true, value: undefined }
      const refusal = await this.#readOn()
      if (refusal) throw brokenAnswer(refusal)
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isDone = true
    this.#ready.length = 0
    this.#readyBytes = 0
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  async #readOn(): Promise<Refused | undefined> {
    const step = await this.#source.next()
    if (step.done) this.#isDone = true
    const passed = step.done ? this.#end() : this.#pass(step.value)
    if (passed === undefined) {
      await this.return()
      return deniedAnswer(this.#isUnreadable ? 'that cannot be read' : 'its body')
    }
    if (passed.length > 0) this.#ready.push(passed)
    this.#readyBytes += passed.length
    return undefined
  }

  #pass(given: Uint8Array): Uint8Array | undefined {
    let piece = given
    if (this.#begun) {
      piece = Buffer.concat([this.#begun, given])
      this.#begun = piece.length < 2 ? piece : undefined
      if (this.#begun) return nothing
      // A byte order mark wins over the media type. See Encoding Standard section 6, decode.
      this.#isUnreadable = (piece[0] === 0xfe && piece[1] === 0xff) || (piece[0] === 0xff && piece[1] === 0xfe)
    }
    if (!this.#isUnreadable) return this.#screen.pass(piece)
    return this.#deniesUnreadable ? undefined : piece
  }

  #end(): Uint8Array | undefined {
    if (this.#isUnreadable) return nothing
    const begun = this.#begun && this.#screen.pass(this.#begun)
    const rest = this.#screen.end()
    return rest && Buffer.concat([begun ?? nothing, rest])
  }
}
