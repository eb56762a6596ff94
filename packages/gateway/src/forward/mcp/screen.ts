import { Fault, unreachable, type Json, type JsonObject } from '@sallyport/contract'
import type { JsonRpcId, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, McpEra } from '../../access/access-request.ts'
import { isJsonArray, isJsonObject, paramsOf } from '../../access/mcp/json-rpc.ts'
import { sealServerRequest } from '../../access/mcp/sealed-session.ts'
import type { Principal } from '../../identity/identify.ts'
import type { Screening } from '../../policy/results.ts'
import { screenMessage } from '../screen/screen-message.ts'
import type { OfferTools } from './offered-tools.ts'
import { withoutOwnWord } from './own-word.ts'
import { bridgeResponse } from './revision-bridge.ts'
import { answerForAgent, asksTooMuch, refusedInput } from './server-requests.ts'
import type { Conversation } from './upstream-reply.ts'
import { visibleResult, withUri, type View } from './visible-result.ts'

/** How one reply may reach one agent. */
export interface RelayTerms {
  readonly principal: Principal
  readonly conversation: Conversation
  readonly view: View
  readonly offer: OfferTools
  /** The upstream says that its tools are others now. */
  readonly toolsChanged: () => void
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
  /** Absent where no agent gets to see the reply. */
  readonly screening: Screening | undefined
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

/** Looks at every message of one reply. */
export class Screen {
  readonly #terms: RelayTerms
  #answeredForAgent = 0

  constructor(terms: RelayTerms) {
    this.#terms = terms
  }

  /** The message as the agent may see it, or undefined when it may not. @throws Fault for what does not belong here. */
  async pass(given: JsonRpcMessage): Promise<JsonRpcMessage | undefined> {
    const passed = await this.#pass(withoutOwnWord(given))
    return passed && screenMessage(passed, this.#terms.screening)
  }

  async #pass(message: JsonRpcMessage): Promise<JsonRpcMessage | undefined> {
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
    if (message.method === 'notifications/tools/list_changed') this.#terms.toolsChanged()
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

  async #passResponse(message: JsonRpcResponse): Promise<JsonRpcResponse> {
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
    const offered = await this.#offered(request?.method, result)
    const value = bridged({ jsonrpc: '2.0', id, result: visibleResult(request?.method, offered, view) }, this.#terms)
    return { kind: 'response', id, value }
  }

  async #offered(method: string | undefined, result: JsonObject): Promise<JsonObject> {
    const tools = toolsIn(method, result)
    return tools ? { ...result, tools: await this.#terms.offer(tools) } : result
  }
}

/** Results that list tools; one on a stream that is resumed is known by its shape. */
function toolsIn(method: string | undefined, { tools }: JsonObject): readonly Json[] | undefined {
  return (method === undefined || method === 'tools/list') && isJsonArray(tools) ? tools : undefined
}

const nothing: ReadonlySet<string> = new Set()

/** How long the gateway's own answer to a server may take. */
const answerDeadlineMs = 10_000

function bridged(value: JsonObject, { request, conversation, callerEra }: RelayTerms): JsonObject {
  return bridgeResponse(request?.method ?? '', value, conversation.era, callerEra)
}

function withParams(message: JsonRpcNotification, params: JsonObject): JsonRpcNotification {
  return { ...message, value: { ...message.value, params } }
}
