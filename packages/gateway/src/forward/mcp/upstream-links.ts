import { Fault, refused, type Refused } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcRequest, McpEra } from '../../access/access-request.ts'
import { isJsonObject } from '../../access/mcp/json-rpc.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import { eraOf, legacyRevision, modernRevision } from '../../access/mcp/revision.ts'
import type { Principal } from '../../identity/identify.ts'
import type { Exchanges } from '../exchange.ts'
import { httpConversation } from './http-conversation.ts'
import type { Implementation } from './revision-bridge.ts'
import type { Conversation, UpstreamReply } from './upstream-reply.ts'

/** A session of the gateway's own with an HTTP upstream, on behalf of one agent. */
export interface Link {
  readonly kind: 'link'
  readonly era: McpEra
  readonly session: string | undefined
  readonly protocolVersion: string | undefined
}

/** Links kept at once; the one opened longest ago goes first. */
const linksMax = 4096

const openDeadlineMs = 15_000

/** Answered by a server that only speaks newer revisions. @see MCP 2026-07-28, Versioning */
const unsupportedRevision = -32022

/**
 * The handshakes behind the aggregated endpoint: an agent shakes hands with the gateway there, and the gateway with each upstream, once per agent.
 *
 * Links live in memory; one that is lost, here or at the upstream, is opened again.
 */
export class UpstreamLinks {
  readonly #exchanges: Exchanges
  readonly #self: Implementation
  readonly #links = new Map<string, Promise<Link | Refused>>()

  constructor(exchanges: Exchanges, self: Implementation) {
    this.#exchanges = exchanges
    this.#self = self
  }

  /** Refuses `forward.*` when the upstream cannot be reached or does not speak a known revision. */
  async get(principal: Principal, upstream: McpUpstreamAccess): Promise<Link | Refused> {
    const key = keyOf(principal, upstream)
    const known = this.#links.get(key)
    if (known) return known
    const opening = this.#open(principal, upstream)
    this.#links.set(key, opening)
    for (const oldest of this.#links.keys()) {
      if (this.#links.size <= linksMax) break
      this.#links.delete(oldest)
    }
    const link = await opening.catch((error: unknown) => {
      this.#forget(key, opening)
      throw error
    })
    if (link.kind === 'refused') this.#forget(key, opening)
    return link
  }

  /** The upstream does not know the link's session any more. */
  drop(principal: Principal, upstream: McpUpstreamAccess): void {
    this.#links.delete(keyOf(principal, upstream))
  }

  /** The upstreams may be others from now on: a session belongs to the server that gave it. */
  dropAll(): void {
    this.#links.clear()
  }

  #forget(key: string, opening: Promise<Link | Refused>): void {
    if (this.#links.get(key) === opening) this.#links.delete(key)
  }

  async #open(principal: Principal, upstream: McpUpstreamAccess): Promise<Link | Refused> {
    const signal = AbortSignal.timeout(openDeadlineMs)
    const terms = { upstream, principal, era: 'legacy', session: undefined, protocolVersion: undefined } as const
    const reply = await httpConversation(this.#exchanges, terms).send({ verb: 'POST', message: handshake(this.#self), headers: [], signal })
    if (reply.kind === 'refused') return reply
    const { result, error } = await responseIn(reply)
    if (isJsonObject(error) && error['code'] === unsupportedRevision)
      return { kind: 'link', era: 'modern', session: undefined, protocolVersion: modernRevision }
    const protocolVersion = isJsonObject(result) ? result['protocolVersion'] : undefined
    if (typeof protocolVersion !== 'string' || eraOf(protocolVersion) !== 'legacy')
      return refused('forward.upstream-failed', 'the handshake of the upstream gives no known revision')
    const link = { kind: 'link', era: 'legacy', session: reply.session, protocolVersion } as const
    const conversation: Conversation = httpConversation(this.#exchanges, { upstream, principal, ...link })
    const confirmed = await conversation.send({ verb: 'POST', message: initialized, headers: [], signal })
    return confirmed.kind === 'refused' ? confirmed : link
  }
}

async function responseIn(reply: UpstreamReply): Promise<JsonRpcMessage['value']> {
  try {
    for await (const { message } of reply.events) if (message?.kind === 'response') return message.value
  } catch (error) {
    if (!(error instanceof Fault)) throw error
  }
  return {}
}

function keyOf({ id }: Principal, { name }: McpUpstreamAccess): string {
  return `${id}\n${name}`
}

function handshake({ name, version }: Implementation): JsonRpcRequest {
  const params = { protocolVersion: legacyRevision, capabilities: {}, clientInfo: { name, version } }
  return { kind: 'request', id: 0, method: 'initialize', value: { jsonrpc: '2.0', id: 0, method: 'initialize', params } }
}

const initialized: JsonRpcMessage = {
  kind: 'notification',
  method: 'notifications/initialized',
  value: { jsonrpc: '2.0', method: 'notifications/initialized' },
}
