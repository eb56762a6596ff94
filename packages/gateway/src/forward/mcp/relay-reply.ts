import { Fault, unreachable, type JsonObject, type Refused } from '@sallyport/contract'
import type { JsonRpcId, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, McpEra } from '../../access/access-request.ts'
import { isJsonObject, paramsOf } from '../../access/mcp/json-rpc.ts'
import { sealServerRequest, sealSession } from '../../access/mcp/sealed-session.ts'
import { problemError } from '../../access/mcp/mcp-refusal.ts'
import type { Answer, HeaderLines } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { refusalOf } from '../exchange.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { writeEvent } from './event-stream.ts'
import { withoutOwnWord } from './own-word.ts'
import { bridgeResponse } from './revision-bridge.ts'
import { answerForAgent, asksTooMuch, refusedInput } from './server-requests.ts'
import type { Conversation, UpstreamReply } from './upstream-reply.ts'
import { visibleResult, withUri, type View } from './visible-result.ts'

/** How one reply may reach one agent. */
export interface RelayTerms {
  readonly principal: Principal
  readonly conversation: Conversation
  readonly view: View
  readonly callerEra: McpEra
  readonly endpoint: 'aggregate' | 'direct'
  readonly sessionKey: Uint8Array
  /** The request that the reply answers; absent for streams, notifications and responses. */
  readonly request: JsonRpcRequest | undefined
  /** The id under which the upstream got it. */
  readonly upstreamId: JsonRpcId | undefined
  /** The id of the agent's request, by which its entry is found. */
  readonly requestId: string
  readonly requestBytes: number
  readonly signal: AbortSignal
}

/** Notifications that a server may send; others are dropped. */
const serverNotifications: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
  'notifications/cancelled',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/elicitation/complete',
  'notifications/subscriptions/acknowledged',
])

/** Requests of a server that are answered in the agent's place during one exchange; a server that keeps asking is cut off. */
const answeredForAgentMax = 64

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
    const passed = message && screen.pass(message)
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

function relayStream(reply: UpstreamReply, terms: RelayTerms): Forwarded {
  const { promise: finished, resolve } = Promise.withResolvers<OutcomeFacts>()
  // An answer that nobody begins to read still has an end.
  terms.signal.addEventListener('abort', () => resolve({ result: 'cancelled', status: reply.status }), { once: true })
  const headers: HeaderLines = [
    ['content-type', 'text/event-stream'],
    ['cache-control', 'no-cache, no-transform'],
    ['x-accel-buffering', 'no'],
    ...sessionHeader(reply, terms),
  ]
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
      const passed = message && screen.pass(message)
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

/** Looks at every message of one reply. */
class Screen {
  readonly #terms: RelayTerms
  #answeredForAgent = 0

  constructor(terms: RelayTerms) {
    this.#terms = terms
  }

  /** The message as the agent may see it, or undefined when it may not. @throws Fault for what does not belong here. */
  pass(given: JsonRpcMessage): JsonRpcMessage | undefined {
    const message = withoutOwnWord(given)
    switch (message.kind) {
      case 'request':
        return this.#passRequest(message)
      case 'notification':
        return this.#passNotification(message)
      case 'response':
        return this.#passResponse(message)
      default:
        return unreachable(message)
    }
  }

  /** A server's request is let through only where the operator says so, under an id that lets exactly this agent answer it. */
  #passRequest(message: JsonRpcRequest): JsonRpcRequest | undefined {
    const { conversation, callerEra, endpoint, sessionKey, principal } = this.#terms
    const { upstream, session } = conversation
    if (upstream.serverRequests.has(message.method) && callerEra === 'legacy' && endpoint === 'direct') {
      const id = sealServerRequest(sessionKey, principal.id, upstream.name, session, message.id)
      return { ...message, id, value: { ...message.value, id } }
    }
    this.#answeredForAgent += 1
    if (this.#answeredForAgent > answeredForAgentMax) throw new Fault('the upstream keeps making requests', 'unknown')
    // The exchange goes on meanwhile, and a server that does not take the answer only harms itself.
    void conversation
      .send({ verb: 'POST', message: answerForAgent(message), headers: [], signal: AbortSignal.timeout(answerDeadlineMs) })
      .catch(() => undefined)
    return undefined
  }

  #passNotification(message: JsonRpcNotification): JsonRpcNotification | undefined {
    if (!serverNotifications.has(message.method)) return undefined
    const { conversation, sessionKey, principal, view } = this.#terms
    const params = paramsOf(message)
    const { requestId } = params
    if (message.method === 'notifications/cancelled' && (typeof requestId === 'string' || typeof requestId === 'number')) {
      const sealed = sealServerRequest(sessionKey, principal.id, conversation.upstream.name, conversation.session, requestId)
      return withParams(message, { ...params, requestId: sealed })
    }
    const isUpdate = message.method === 'notifications/resources/updated'
    if (isUpdate && !view.isReachable('resources/read')) return undefined
    const renamed = isUpdate && view.isNamespaced ? withUri(params, view.upstream) : params
    return isJsonObject(renamed) ? withParams(message, renamed) : undefined
  }

  #passResponse(message: JsonRpcResponse): JsonRpcResponse {
    const { request, upstreamId, conversation, callerEra, view, requestId } = this.#terms
    // An error without an id is about the only request there is.
    const isOurs = request === undefined || message.id === upstreamId || (message.id === undefined && message.value['error'] !== undefined)
    if (!isOurs) throw new Fault('a response to another request', 'unknown')
    const id = request?.id ?? message.id
    if (id === undefined) throw new Fault('an error about no request', 'unknown')
    const { result } = message.value
    if (!isJsonObject(result)) return { kind: 'response', id, value: { ...bridged(message.value, this.#terms), id } }
    const isModern = callerEra === 'modern'
    const allowed = isModern && conversation.era === 'modern' ? conversation.upstream.serverRequests : nothing
    if (asksTooMuch(result, allowed)) return { kind: 'response', id, value: { jsonrpc: '2.0', id, ...refusedInput(request?.method, isModern, requestId) } }
    const value = bridged({ jsonrpc: '2.0', id, result: visibleResult(request?.method, result, view) }, this.#terms)
    return { kind: 'response', id, value }
  }
}

const nothing: ReadonlySet<string> = new Set()

/** How long the gateway's own answer to a server may take. */
const answerDeadlineMs = 10_000

function bridged(value: JsonObject, { request, conversation, callerEra }: RelayTerms): JsonObject {
  return bridgeResponse(request?.method ?? '', value, conversation.era, callerEra)
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

function withParams(message: JsonRpcNotification, params: JsonObject): JsonRpcNotification {
  return { ...message, value: { ...message.value, params } }
}
