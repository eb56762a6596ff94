import { Readable } from 'node:stream'
import { refused, type ProblemCode, type Refused } from '@sallyport/contract'
import type { Dispatcher } from 'undici'
import type { HeaderLines } from '../edge/inbound.ts'
import { readAnswerHeaders } from './answer-headers.ts'
import { AddressRefused, DialTimeout } from './dial.ts'
import { EchoMask, maskLines } from './echo-mask.ts'
import type { EchoPattern } from './echo-pattern.ts'
import { EventMeter } from './event-meter.ts'
import { brokenAnswer, type Unanswered, type UpstreamAnswer, type UpstreamRequest } from './exchange.ts'
import type { UpstreamDeadlines } from './upstream-definition.ts'

export interface ExchangeLimits {
  readonly deadlines: UpstreamDeadlines
  /** Of an answer, or of one event where the answer is a stream of events without an end. */
  readonly answerBytesMax: number
}

/** Past this much unread answer the upstream is no longer read from. */
const unreadBytesMax = 65_536

/** One request and its answer, as undici's handler on one side and the answer's body on the other. Ends once, and then holds no timer and no listener. */
export class UpstreamExchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  readonly answer: Promise<UpstreamAnswer | Unanswered>
  readonly requestBody: Uint8Array | Readable | null
  readonly #request: UpstreamRequest
  readonly #limits: ExchangeLimits
  readonly #echo: EchoPattern | undefined
  readonly #mask: EchoMask | undefined
  readonly #onEnd: () => void
  readonly #begin: PromiseWithResolvers<UpstreamAnswer | Unanswered>
  readonly #total: NodeJS.Timeout
  /** First the wait for the answer's beginning, then for its next piece. */
  #patience: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #phase: 'waiting' | 'answering' | 'ended' = 'waiting'
  #failure: Refused | undefined
  #bodyFailure: { readonly error: unknown } | undefined
  readonly #unread: Uint8Array[] = []
  #unreadBytes = 0
  #answerBytes = 0
  #meter: EventMeter | undefined
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined

  /** `echo` of the injected credential is masked in the answer. `onEnd` is called once. */
  constructor(request: UpstreamRequest, limits: ExchangeLimits, echo: EchoPattern | undefined, onEnd: () => void) {
    this.#request = request
    this.#limits = limits
    this.#echo = echo
    this.#mask = echo && new EchoMask(echo)
    this.#onEnd = onEnd
    this.#begin = Promise.withResolvers()
    this.answer = this.#begin.promise
    this.requestBody = this.#outgoing(request.body)
    const { headersMs, totalMs } = limits.deadlines
    this.#patience = setTimeout(() => this.#fail('forward.upstream-timeout', `no answer within ${headersMs} ms`), headersMs)
    this.#total = setTimeout(() => this.#fail('forward.upstream-timeout', `not finished within ${totalMs} ms`), totalMs)
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Ends it from the gateway's side. */
  cut(reason: string): void {
    this.#fail('forward.upstream-failed', reason)
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  /** Ends it before anything was sent. */
  refuse(refusal: Refused): void {
    if (this.#phase !== 'waiting') return
    this.#end()
    this.#begin.resolve({ ...refusal, isSent: false })
  }

  /** Ends it before anything was sent, since whoever had to be asked failed. */
  giveUp(error: unknown): void {
    if (this.#phase !== 'waiting') return
    this.#end()
    this.#begin.reject(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#phase === 'ended') controller.abort(new Error('ended before it was sent'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#phase !== 'waiting') return
    if (status === 101) return this.#fail('forward.upstream-failed', 'switched protocols unasked')
    if (status < 200) return // RFC 9110 section 15.2: interim answers can be ignored
    if (status > 599) return this.#fail('forward.upstream-failed', `answered with status ${status}`)
    const headers = Array.isArray(controller.rawHeaders) ? readAnswerHeaders(controller.rawHeaders) : undefined
    if (!headers) return this.#fail('forward.upstream-failed', 'answered with malformed header fields')
    const isEventStream = headers.all.some(([name, value]) => name === 'content-type' && /^text\/event-stream\s*(?:;|$)/i.test(value))
    const { idleMs, eventStreamIdleMs, eventStreamsEnd } = this.#limits.deadlines
    const isEndless = isEventStream && !eventStreamsEnd
    const objection = this.#objectionTo(status, headers.all, isEndless)
    if (objection) return this.#fail(...objection)
    if (isEndless) {
      clearTimeout(this.#total)
      this.#meter = new EventMeter()
    }
    this.#phase = 'answering'
    this.#replacePatience(isEventStream ? eventStreamIdleMs : idleMs)
    // A mask leaves every length as it is.
    this.#begin.resolve({ kind: 'answer', status, headers: this.#masked(headers.endToEnd), body: this, bodyBytes: announcedBytes(headers.all) })
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#phase !== 'answering') return
    this.#answerBytes = this.#meter ? this.#meter.take(piece) : this.#answerBytes + piece.length
    if (this.#answerBytes > this.#limits.answerBytesMax)
      return this.#fail('forward.answer-too-large', `answered more than ${this.#limits.answerBytesMax} bytes`)
    this.#patience.refresh()
    this.#deliver(this.#mask ? this.#mask.pass(piece) : piece)
    if (this.#unreadBytes > unreadBytesMax) {
      controller.pause()
      clearTimeout(this.#patience) // it is the caller who is slow now, and the edge sees to that
    }
  }

  onResponseEnd(): void {
    if (this.#phase !== 'answering') return
    if (this.#mask) this.#deliver(this.#mask.end())
    this.#end()
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#phase === 'ended') return
    if (this.#bodyFailure && this.#phase === 'waiting') {
      this.#end()
      this.#begin.reject(this.#bodyFailure.error)
      return
    }
    if (error instanceof AddressRefused) return this.#fail('forward.address-refused', error.message)
    if (error instanceof DialTimeout) return this.#fail('forward.upstream-timeout', error.message)
    // The message alone: parser errors carry the upstream's bytes, in which its credential could be.
    this.#fail('forward.upstream-failed', `${this.#phase === 'answering' ? 'broke off: ' : ''}${error.message}`)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#reader) throw new TypeError('the answer has one reader, which asks for one piece at a time')
    const piece = this.#unread.shift()
    if (piece) {
      this.#unreadBytes -= piece.length
      this.#readOn()
      return { done: false, value: piece }
    }
    if (this.#failure) throw brokenAnswer(this.#failure)
    if (this.#phase === 'ended') return { done: true, value: undefined }
    this.#reader = Promise.withResolvers()
    return this.#reader.promise
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#unread.length = 0
    this.#unreadBytes = 0
    this.#end()
    this.#controller?.abort(new Error('the caller went away'))
    return { done: true, value: undefined }
  }

  readonly #onAbort = (): void => this.cut('the caller went away')

  #objectionTo(status: number, headers: HeaderLines, isEndless: boolean): [ProblemCode, string] | undefined {
    const announced = headers.find(([name]) => name === 'content-length')?.[1]
    // Pieces of an answer, asked for one by one, would show what is looked for without ever holding all of it.
    if (this.#isLegible && status === 206) return ['forward.upstream-failed', 'answered with a part though the whole was asked']
    if (this.#request.method === 'HEAD' || status === 204 || status === 304) return undefined
    if (!isEndless && announced !== undefined && Number(announced) > this.#limits.answerBytesMax)
      return ['forward.answer-too-large', `announced ${announced} bytes`]
    // An answer that is compressed although it was asked not to be could carry past the mask and the rules what they look for.
    const coding = headers.find(([name]) => name === 'content-encoding')?.[1]
    if (this.#isLegible && coding !== undefined && coding.toLowerCase() !== 'identity')
      return ['forward.upstream-failed', `answered in coding ${coding} though identity was asked`]
    return undefined
  }

  /** The answer must be one that can be looked through. */
  get #isLegible(): boolean {
    return this.#mask !== undefined || this.#request.legible === 'required'
  }

  #masked(headers: HeaderLines): HeaderLines {
    if (!this.#echo) return headers
    const values = maskLines(
      headers.map(([, value]) => value),
      this.#echo,
    )
    return headers.map(([name], index) => [name, values[index] ?? ''])
  }

  #deliver(piece: Uint8Array): void {
    if (piece.length === 0) return
    if (this.#reader) {
      const reader = this.#reader
      this.#reader = undefined
      return reader.resolve({ done: false, value: piece })
    }
    this.#unread.push(piece)
    this.#unreadBytes += piece.length
  }

  #readOn(): void {
    if (this.#phase !== 'answering' || !this.#controller?.paused || this.#unreadBytes > unreadBytesMax / 2) return
    this.#patience.refresh()
    this.#controller.resume()
  }

  #replacePatience(idleMs: number): void {
    clearTimeout(this.#patience)
    this.#patience = setTimeout(() => this.#fail('forward.upstream-timeout', `silent for ${idleMs} ms`), idleMs)
  }

  /** Ends in failure: as a refusal while nothing was answered, in the answer's body afterwards. */
  #fail(code: ProblemCode, reason: string): void {
    if (this.#phase === 'ended') return
    const isSent = this.#controller !== undefined
    const detail = isSent ? 'It is not known whether the upstream carried out the call.' : 'Nothing was sent to the upstream.'
    const refusal = { ...refused(code, `${this.#request.upstream}: ${reason}`, { detail }), isSent }
    const wasWaiting = this.#phase === 'waiting'
    this.#failure = refusal
    this.#end()
    if (wasWaiting) this.#begin.resolve(refusal)
    this.#controller?.abort(new Error(reason))
  }

  #end(): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    clearTimeout(this.#patience)
    clearTimeout(this.#total)
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    if (this.requestBody instanceof Readable && !this.requestBody.readableEnded) this.requestBody.destroy()
    const reader = this.#reader
    this.#reader = undefined
    if (this.#failure) reader?.reject(brokenAnswer(this.#failure))
    else reader?.resolve({ done: true, value: undefined })
    this.#onEnd()
  }

  #outgoing(body: UpstreamRequest['body']): Uint8Array | Readable | null {
    if (body === undefined) return null
    if (body instanceof Uint8Array) return body
    const readable = Readable.from(this.#pieces(body), { objectMode: false })
    // The caller can break off after the upstream has answered and undici has let go of the stream: nobody else would listen then.
    return readable.on('error', () => {})
  }

  async *#pieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        if (this.#phase === 'waiting') this.#patience.refresh()
        yield piece
      }
    } catch (error) {
      this.#bodyFailure = { error }
      throw error
    }
  }
}

function announcedBytes(headers: HeaderLines): number | undefined {
  const lengths = headers.filter(([name]) => name === 'content-length' || name === 'transfer-encoding')
  const [[name, value] = ['', '']] = lengths
  return lengths.length === 1 && name === 'content-length' && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
}
