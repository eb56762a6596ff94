import { Fault, unreachable, type JsonObject, type Refused } from '@sallyport/contract'
import type { JsonRpcResponse } from '../../access/access-request.ts'
import { isJsonObject } from '../../access/mcp/json-rpc.ts'
import { problemError } from '../../access/mcp/mcp-refusal.ts'
import { sealSession } from '../../access/mcp/sealed-session.ts'
import type { Answer, HeaderLines } from '../../edge/inbound.ts'
import { refusalOf } from '../exchange.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { writeEvent } from './event-stream.ts'
import { Screen, type RelayTerms } from './screen.ts'
import type { UpstreamReply } from './upstream-reply.ts'

export function refuseForwarding({ problem, reason }: Pick<Refused, 'problem' | 'reason'>): Forwarded {
  return { kind: 'refused', problem, reason, finished: Promise.resolve({ result: 'refused', code: problem.code }) }
}

/** Passes a reply on, message by message: nothing waits for what comes after it, and nothing passes that was not looked at. */
export async function relayReply(reply: UpstreamReply, terms: RelayTerms): Promise<Forwarded> {
  switch (reply.form) {
    case 'none':
      return answered({ status: reply.status, headers: [], body: new Uint8Array(0) }, { requestBytes: terms.requestBytes })
    case 'json':
      return relayOne(reply, terms)
    case 'stream':
      return relayStream(reply, terms)
    default:
      return unreachable(reply.form)
  }
}

async function relayOne(reply: UpstreamReply, terms: RelayTerms): Promise<Forwarded> {
  try {
    const response = await readResponse(reply, terms)
    return answerWith(response.value, reply.status, sessionHeader(reply, terms), { error: isError(response), requestBytes: terms.requestBytes })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refuseForwarding(refusalOf(error) ?? { problem: { code: 'forward.upstream-failed' }, reason: error.message })
  }
}

/** The response in a reply, whatever comes before it. @throws Fault when the reply ends without one. */
export async function readResponse(reply: UpstreamReply, terms: RelayTerms): Promise<JsonRpcResponse> {
  const screen = new Screen(terms)
  for await (const { message } of reply.events) {
    const passed = message && (await screen.pass(message))
    if (passed?.kind === 'response') return passed
  }
  throw new Fault('the answer holds no response to the request', 'unknown')
}

/** One JSON-RPC message as an answer. */
export function answerWith(value: JsonObject, status: number, headers: HeaderLines, facts: Omit<OutcomeFacts, 'result' | 'status'>): Forwarded {
  const body = Buffer.from(JSON.stringify(value))
  const all: HeaderLines = [['content-type', 'application/json'], ['cache-control', 'no-store'], ...headers]
  return answered({ status, headers: all, body }, { ...facts, answerBytes: body.length })
}

export const streamHeaders: HeaderLines = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache, no-transform'],
  ['x-accel-buffering', 'no'],
]

function relayStream(reply: UpstreamReply, terms: RelayTerms): Forwarded {
  const { promise: finished, resolve } = Promise.withResolvers<OutcomeFacts>()
  // An answer that nobody begins to read still has an end.
  terms.signal.addEventListener('abort', () => resolve({ result: 'cancelled', status: reply.status }), { once: true })
  const headers: HeaderLines = [...streamHeaders, ...sessionHeader(reply, terms)]
  return { kind: 'answer', answer: { status: reply.status, headers, body: eventBytes(reply, terms, resolve) }, finished }
}

async function* eventBytes(reply: UpstreamReply, terms: RelayTerms, finish: (facts: OutcomeFacts) => void): AsyncGenerator<Uint8Array> {
  const screen = new Screen(terms)
  const { request } = terms
  let facts: OutcomeFacts = { result: 'cancelled', status: reply.status, requestBytes: terms.requestBytes }
  let answerBytes = 0
  try {
    let isResumable = false
    for await (const { message, ...place } of reply.events) {
      const passed = message && (await screen.pass(message))
      if (message && !passed && place.id === undefined) continue
      isResumable ||= place.id !== undefined
      const bytes = writeEvent({ data: passed && JSON.stringify(passed.value), ...place })
      answerBytes += bytes.length
      const isLast = request !== undefined && passed?.kind === 'response'
      if (isLast) facts = { ...facts, result: 'answered', error: isError(passed) }
      yield bytes
      if (isLast) return
    }
    if (request && !isResumable) throw new Fault('the stream ended before the response', 'unknown')
    facts = { ...facts, result: 'answered' }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (terms.signal.aborted) return
    const problem = refusalOf(error)?.problem ?? { code: 'forward.upstream-failed' }
    facts = { ...facts, result: 'failed', code: problem.code }
    if (request) yield writeEvent({ data: JSON.stringify({ jsonrpc: '2.0', id: request.id, error: problemError(problem, terms.requestId) }) })
  } finally {
    finish({ ...facts, answerBytes })
  }
}

function sessionHeader({ session }: UpstreamReply, { request, sessionKey, principal, conversation, endpoint }: RelayTerms): HeaderLines {
  if (session === undefined || request?.method !== 'initialize') return []
  const upstream = endpoint === 'direct' ? conversation.upstream.name : undefined
  return [['mcp-session-id', sealSession(sessionKey, { agent: principal.id, upstream }, session)]]
}

function answered(answer: Answer, facts: Omit<OutcomeFacts, 'result' | 'status'>): Forwarded {
  return { kind: 'answer', answer, finished: Promise.resolve({ result: 'answered', status: answer.status, ...facts }) }
}

function isError({ value }: JsonRpcResponse): boolean {
  const { result, error } = value
  return error !== undefined || (isJsonObject(result) && result['isError'] === true)
}
