import type { JsonObject } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcRequest, McpCall } from '../../access/access-request.ts'
import { isJsonObject, paramsOf } from '../../access/mcp/json-rpc.ts'
import { metaKeys } from '../../access/mcp/revision.ts'
import type { Principal } from '../../identity/identify.ts'
import { isReachable } from '../../policy/reach.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { writeEvent } from './event-stream.ts'
import { hearUpstream } from './hear-upstream.ts'
import type { McpPorts } from './mcp-ports.ts'
import { streamHeaders } from './relay-reply.ts'

const changed = 'notifications/tools/list_changed'

/**
 * Tells an agent at the aggregated endpoint that tools have changed, for as long as it listens: on the stream of its session, or on the subscription that
 * `request` asks for.
 *
 * What the gateway learns is told: from upstreams, in whatever conversation of the tenant's agents, and from a person who accepts. While an agent listens, the
 * gateway listens in its name.
 */
export function relayToolChanges(ports: McpPorts, policy: PolicySnapshot, principal: Principal, call: McpCall, request?: JsonRpcRequest): Forwarded {
  const { promise: finished, resolve } = Promise.withResolvers<OutcomeFacts>()
  // A stream that nobody begins to read still has an end.
  call.signal.addEventListener('abort', () => resolve({ result: 'cancelled', status: 200 }), { once: true })
  const body = eventBytes(ports, policy, principal, call, request, () => resolve({ result: 'cancelled', status: 200 }))
  return { kind: 'answer', answer: { status: 200, headers: streamHeaders, body }, finished }
}

async function* eventBytes(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: McpCall,
  request: JsonRpcRequest | undefined,
  finish: () => void,
): AsyncGenerator<Uint8Array> {
  const isWanted = request === undefined || wantsTools(request)
  const upstreams = isWanted ? call.targets.filter(({ name }) => isReachable(policy, principal, name)) : []
  const news = new News()
  const leaving = new AbortController()
  const signal = AbortSignal.any([call.signal, leaving.signal])
  const leave = (): void => news.wake()
  signal.addEventListener('abort', leave, { once: true })
  const ends = upstreams.map(({ name }) => ports.tools.watch({ tenant: principal.tenant, upstream: name }, () => news.tell()))
  for (const upstream of upstreams) hearUpstream(ports, policy, principal, upstream, call, signal).catch((error: unknown) => news.fail(error))
  try {
    yield writeEvent({ data: undefined }) // so that the headers leave at once
    if (request) yield written(notification('notifications/subscriptions/acknowledged', { notifications: isWanted ? { toolsListChanged: true } : {} }, request))
    while (!signal.aborted) {
      if (news.take()) yield written(notification(changed, {}, request))
      else await news.some()
    }
  } finally {
    leaving.abort()
    for (const end of ends) end()
    finish()
  }
}

/** Many changes that nobody has read of yet are one. */
class News {
  #isThere = false
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => undefined

  tell(): void {
    this.#isThere = true
    this.#wake()
  }

  /** A bug, which whoever reads is to hear of. */
  fail(error: unknown): void {
    this.#failure = { error }
    this.#wake()
  }

  wake(): void {
    this.#wake()
  }

  take(): boolean {
    if (this.#failure) throw this.#failure.error
    const isThere = this.#isThere
    this.#isThere = false
    return isThere
  }

  /** Resolves at the next word, or when woken. */
  async some(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await promise
  }
}

function wantsTools(request: JsonRpcRequest): boolean {
  const { notifications } = paramsOf(request)
  return isJsonObject(notifications) && notifications['toolsListChanged'] === true
}

function notification(method: string, params: JsonObject, request: JsonRpcRequest | undefined): JsonRpcMessage {
  const told = request ? { ...params, _meta: { [metaKeys.subscriptionId]: request.id } } : params
  return { kind: 'notification', method, value: { jsonrpc: '2.0', method, ...(Object.keys(told).length > 0 && { params: told }) } }
}

function written({ value }: JsonRpcMessage): Uint8Array {
  return writeEvent({ data: JSON.stringify(value) })
}
