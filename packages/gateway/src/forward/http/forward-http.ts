import type { HttpCall } from '../../access/access-request.ts'
import { BodyError, type InboundBody } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import type { Screening } from '../../policy/results.ts'
import { refusalOf, type Exchanges, type UpstreamAnswer } from '../exchange.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { screenAnswer } from '../screen/screen-answer.ts'

/**
 * Sends the call and passes its answer on as it comes: status, end-to-end headers, bytes. A redirect is an answer like any other.
 *
 * `finished` resolves once: `answered` after the last byte, `cancelled` when the caller went away, `failed` when the upstream broke off, `refused` when there was
 * no answer to begin with.
 *
 * @throws Fault of the credentials; nothing was sent then.
 */
export async function forwardHttp(
  exchanges: Exchanges,
  call: HttpCall,
  { tenant, agent }: Pick<Principal, 'tenant' | 'agent'>,
  screening?: Screening,
): Promise<Forwarded> {
  const { upstream, method, target, headers, body, signal } = call
  const outgoing = body === undefined || body instanceof Uint8Array ? body : new CountedBody(body)
  const requestBytes = (): number => (outgoing instanceof CountedBody ? outgoing.bytes : (outgoing?.length ?? 0))
  const bodyBytes = outgoing instanceof CountedBody ? outgoing.announced : undefined
  const legible = screening && (screening.isEnforced ? 'required' : 'asked')
  try {
    const answer = await exchanges.send({ upstream, tenant, agent, method, target, headers, body: outgoing, bodyBytes, legible, signal })
    if (answer.kind === 'answer') return screening ? await passOnScreened(answer, call, requestBytes, screening) : passOn(answer, call, requestBytes)
    const { problem, reason, isSent } = answer
    const result = signal.aborted ? 'cancelled' : 'refused'
    const facts: OutcomeFacts = { result, code: problem.code, requestBytes: requestBytes(), ...(!isSent && { sent: false }) }
    return { kind: 'refused', problem, reason, finished: Promise.resolve(facts) }
  } catch (error) {
    if (!(error instanceof BodyError)) throw error
    const result = signal.aborted ? 'cancelled' : 'failed'
    const finished = Promise.resolve<OutcomeFacts>({ result, code: error.code, requestBytes: requestBytes() })
    return { kind: 'refused', problem: { code: error.code }, reason: error.message, finished }
  }
}

async function passOnScreened(answer: UpstreamAnswer, call: HttpCall, requestBytes: () => number, screening: Screening): Promise<Forwarded> {
  const screened = await screenAnswer(answer, isBodiless(call.method, answer.status), screening)
  if (screened.kind === 'answer') return passOn(screened, call, requestBytes)
  const { problem, reason } = screened
  const result = call.signal.aborted ? 'cancelled' : problem.code === 'policy.result-denied' ? 'refused' : 'failed'
  return { kind: 'refused', problem, reason, finished: Promise.resolve({ result, status: answer.status, code: problem.code, requestBytes: requestBytes() }) }
}

/** @see RFC 9110 section 6.4.1 */
function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

function passOn(answer: UpstreamAnswer, { method, signal }: HttpCall, requestBytes: () => number): Forwarded {
  const { status, headers, bodyBytes } = answer
  const facts = (result: OutcomeFacts['result'], answerBytes: number): OutcomeFacts => ({ result, status, requestBytes: requestBytes(), answerBytes })
  if (isBodiless(method, status)) {
    return { kind: 'answer', answer: { status, headers, body: new Uint8Array(0) }, finished: Promise.resolve(facts('answered', 0)) }
  }
  const body = new WatchedBody(answer.body, signal)
  const finished = body.ended.then(({ result, error }) => {
    const broken = result === 'failed' ? refusalOf(error) : undefined
    return { ...facts(result, body.bytes), ...(broken && { code: broken.problem.code, reason: broken.reason }) }
  })
  return { kind: 'answer', answer: { status, headers, body, bodyBytes }, finished }
}

class CountedBody implements AsyncIterable<Uint8Array> {
  readonly announced: number | undefined
  readonly #body: InboundBody
  bytes = 0

  constructor(body: InboundBody) {
    this.announced = body.length
    this.#body = body
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#body.read()) {
      this.bytes += piece.length
      yield piece
    }
  }
}

interface Ending {
  readonly result: OutcomeFacts['result']
  readonly error?: unknown
}

/** The answer's body, and how it ended: read out, broken off, or given up by its reader or the caller. */
class WatchedBody implements AsyncIterableIterator<Uint8Array> {
  readonly ended: Promise<Ending>
  bytes = 0
  readonly #source: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal
  readonly #end: (ending: Ending) => void

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<Ending>()
    this.ended = promise
    this.#end = resolve
    this.#source = source[Symbol.asyncIterator]()
    this.#signal = signal
    // A caller who goes away before anything is read leaves nobody to read on.
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const step = await this.#source.next()
      if (step.done) this.#settle({ result: 'answered' })
      else this.bytes += step.value.length
      return step
    } catch (error) {
      this.#settle({ result: this.#signal.aborted ? 'cancelled' : 'failed', error })
      throw error
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#settle({ result: 'cancelled' })
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  readonly #onAbort = (): void => this.#settle({ result: 'cancelled' })

  #settle(ending: Ending): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#end(ending)
  }
}
