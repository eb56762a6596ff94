import type { LlmCall } from '../../access/access-request.ts'
import { amountOf, costOf, type Price, type TokenCounts } from '../../access/llm/price.ts'
import { parseMediaType } from '../../access/media-type.ts'
import { headerValue, type HeaderLines } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import type { Screening } from '../../policy/results.ts'
import type { Exchanges } from '../exchange.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { forwardHttp } from '../http/forward-http.ts'
import { AnswerNotes } from './answer-notes.ts'
import { EventReading, NotedBody, WholeReading, type Reading } from './noted-answer.ts'

/**
 * Sends the call and passes its answer on as it comes, errors of the provider included, reading on the way what it used and which tools the model asked for.
 *
 * `finished` carries `usage` only when it is known: told by the provider to the end of its answer, or nothing, since the provider refused the call (4xx). In every
 * other case the outcome has none, and what was reserved counts as used.
 *
 * @throws Fault of the credentials; nothing was sent then.
 */
export async function forwardLlm(
  exchanges: Exchanges,
  call: LlmCall,
  principal: Pick<Principal, 'tenant' | 'agent'>,
  screening?: Screening,
): Promise<Forwarded> {
  const { upstream, method, target, headers, body, signal } = call
  const forwarded = await forwardHttp(exchanges, { kind: 'http', upstream, method, target, headers, body, signal }, principal, screening)
  if (forwarded.kind === 'refused' || !call.ceiling) return forwarded
  const { answer, finished } = forwarded
  const { price } = call.ceiling
  if (answer.status >= 400 && answer.status < 500) {
    const usage = priced({ inputTokens: 0, outputTokens: 0 }, price)
    return { ...forwarded, finished: finished.then((facts) => ({ ...facts, usage })) }
  }
  const notes = new AnswerNotes(call.endpoint)
  const reading = readingOf(answer.status, answer.headers, notes, call.hidesUsage)
  if (!reading || answer.body instanceof Uint8Array) return forwarded
  return {
    kind: 'answer',
    // Without its usage an answer is shorter than its provider announced.
    answer: { ...answer, body: new NotedBody(answer.body, reading), bodyBytes: call.hidesUsage ? undefined : answer.bodyBytes },
    finished: finished.then((facts) => {
      if (facts.result === 'answered') reading.conclude()
      return { ...facts, ...noted(notes, facts, price) }
    }),
  }
}

/** Only a good answer has a usage that counts. */
function readingOf(status: number, headers: HeaderLines, notes: AnswerNotes, hidesUsage: boolean): Reading | undefined {
  if (status >= 300 || (headerValue(headers, 'content-encoding') ?? 'identity') !== 'identity') return undefined
  const type = parseMediaType(headerValue(headers, 'content-type') ?? '')?.name
  return type === 'text/event-stream' ? new EventReading(notes, hidesUsage) : new WholeReading(notes)
}

function noted(notes: AnswerNotes, { result }: OutcomeFacts, price: Price | undefined): Partial<OutcomeFacts> {
  const { model, stopReason, toolCalls } = notes
  const usage = notes.finalUsage(result === 'answered')
  return {
    ...(usage && { usage: priced(usage, price) }),
    ...(model !== undefined && { model }),
    ...(stopReason !== undefined && { stopReason }),
    ...(toolCalls.length > 0 && { toolCalls }),
  }
}

function priced(usage: TokenCounts, price: Price | undefined): NonNullable<OutcomeFacts['usage']> {
  return { ...usage, ...(price && { cost: amountOf(costOf(price, usage)) }) }
}
