import type { AgentIdentity, Json, JsonObject, UpstreamName } from '@sallyport/contract'
import type { Connection, HeaderLines, InboundBody } from '../edge/inbound.ts'
import type { Principal } from '../identity/identify.ts'
import type { LlmEndpoint } from './llm/endpoints.ts'
import type { Price } from './llm/price.ts'
import type { McpUpstreamAccess } from './mcp/mcp-upstream.ts'

/**
 * The question to policy: who (subject), does what (action), on what (resource), around it (context); and the call itself, so that what is judged is what
 * is forwarded.
 *
 * @see OpenID AuthZEN Authorization API 1.0 section 5
 */
export interface AccessRequest {
  readonly id: string
  readonly principal: Principal
  readonly upstream: UpstreamName
  /** An operation's name, `unlisted`, an MCP tool's name, an MCP method such as `resources/read`, an endpoint of a language model such as `messages`, or a method of A2A such as `SendMessage`. */
  readonly action: string
  /** HTTP: the path template of the operation, or the path itself when unlisted. MCP: the tool, resource URI or prompt name. LLM: the model. A2A: the task, or the agent where none is named. */
  readonly resource: string
  /**
   * JSON arguments: an MCP call's `arguments`, or `{path, query, body}` of an HTTP call. A body that is streamed unread leaves only `{path, query}`. Of a call to a
   * language model `{model, stream, tools, betas, messageCount, maxTokens, body}`.
   */
  readonly args: Json | undefined
  readonly context: { readonly protocol: 'http' | 'mcp' | 'llm' | 'a2a' | 'gateway'; readonly method: string; readonly remoteAddress: string }
  /**
   * `protocol`: bookkeeping of a protocol (MCP initialize, ping, lists, notifications) that has no effect of its own: permitted to whoever could be permitted or
   * held for anything at this upstream. `own`: what an agent may always do with itself (renew its certificate, ask who it is).
   */
  readonly standing: 'call' | 'protocol' | 'own'
  readonly call: Call
}

/** What forward will send, or carry out, if permitted. */
export type Call = HttpCall | LlmCall | McpCall | McpListing | A2aCall | GatewayCall | ClientLoginCall | DelegationCall

export interface HttpCall {
  readonly kind: 'http'
  readonly upstream: UpstreamName
  readonly method: string
  /** Path and query under the upstream's base URL, starting with a slash. */
  readonly target: string
  /** End-to-end headers that may pass; hop-by-hop, credentials and forwarding headers are gone. */
  readonly headers: HeaderLines
  /** Bytes of the judged value, or a stream that was not judged. */
  readonly body: Uint8Array | InboundBody | undefined
  readonly signal: AbortSignal
}

export interface McpCall {
  readonly kind: 'mcp'
  /** The id of the request, for errors inside a stream. */
  readonly requestId: string
  /** Absent: the aggregated endpoint itself (initialize, lists over all upstreams). */
  readonly upstream: UpstreamName | undefined
  /** Under which address it was called: `aggregate` renames tools, prompts and resources on the way back. */
  readonly endpoint: 'aggregate' | 'direct'
  /** The upstreams it may concern: the one called, or all of MCP for the aggregated endpoint itself. */
  readonly targets: readonly McpUpstreamAccess[]
  readonly verb: 'POST' | 'GET' | 'DELETE'
  /** The judged JSON-RPC message, with the upstream's own names; absent for GET and DELETE. */
  readonly message: JsonRpcMessage | undefined
  readonly era: McpEra
  /** What the caller named in MCP-Protocol-Version. */
  readonly protocolVersion: string | undefined
  /** The caller's session as the gateway sealed it, opened and checked to belong to this agent. */
  readonly session: { readonly upstreamSession: string | undefined } | undefined
  /** `mcp-param-*`, checked against the arguments, and `last-event-id`. */
  readonly headers: HeaderLines
  readonly signal: AbortSignal
}

/** A call to a language model, or about one. */
export interface LlmCall {
  readonly kind: 'llm'
  readonly upstream: UpstreamName
  readonly method: string
  /** Path and query under the upstream's base URL. */
  readonly target: string
  readonly headers: HeaderLines
  /** Bytes of the judged value. */
  readonly body: Uint8Array | undefined
  /** Which of the forms of answers is to be read. */
  readonly endpoint: LlmEndpoint
  /** The gateway asked for the usage in a stream, and the agent did not: it is read and left out. */
  readonly hidesUsage: boolean
  /** Undefined for endpoints that use no tokens. */
  readonly ceiling: TokenCeiling | undefined
  readonly signal: AbortSignal
}

/** The most tokens that a call can use by what stands in it. */
export interface TokenCeiling {
  /** No tokenizer makes more than one token of a byte. What is named by reference (a file, an image at a URL, an earlier answer) is not in it. */
  readonly inputTokens: number
  /** Undefined: neither the call nor the upstream's configuration says. */
  readonly outputTokens: number | undefined
  /** Undefined: the model has none. */
  readonly price: Price | undefined
}

/** All the tools of an upstream, for the gateway itself, in the conversation that a call would use. */
export interface McpListing {
  readonly kind: 'mcp-listing'
  readonly upstream: McpUpstreamAccess
  readonly call: McpCall
}

/** `legacy`: revisions up to 2025-11-25, with a handshake and sessions. `modern`: 2026-07-28, where every request stands alone. */
export type McpEra = 'legacy' | 'modern'

export type JsonRpcId = string | number

/** One message of JSON-RPC 2.0. `value` is the whole message as parsed; what is forwarded is this value, serialized anew. */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse

export interface JsonRpcRequest {
  readonly kind: 'request'
  readonly id: JsonRpcId
  readonly method: string
  readonly value: JsonObject
}

export interface JsonRpcNotification {
  readonly kind: 'notification'
  readonly id?: undefined
  readonly method: string
  readonly value: JsonObject
}

export interface JsonRpcResponse {
  readonly kind: 'response'
  /** Absent only for an error about a request whose id could not be read. */
  readonly id?: JsonRpcId
  readonly value: JsonObject
}

/** An act that the gateway itself carries out for the agent. */
export interface GatewayCall {
  readonly kind: 'gateway'
  readonly operation: 'certificate.renew' | 'whoami' | 'catalog' | 'session.claim' | 'session.refresh' | 'session.end' | 'jwks'
  readonly input: Json | undefined
  /** What the caller proves itself by, for acts that ask for the proof again and again. */
  readonly caller: { readonly connection: Connection; readonly signal: AbortSignal }
}

/** What a program asks that wants its person to log in for the agent, and what it does with what it got. */
export interface ClientLoginCall {
  readonly kind: 'client-login'
  /** Where the program reaches the gateway: the issuer that it knows. A loopback origin, by the word of the bridge, which goes back to the same program alone. */
  readonly origin: string
  readonly asked: ClientLoginQuestion
  readonly caller: GatewayCall['caller']
}

/** Resources by their paths. @see RFC 8414, RFC 9728, RFC 6749 sections 4.1.1, 4.1.3 and 6, RFC 7009 */
export type ClientLoginQuestion =
  | { readonly kind: 'server-metadata'; readonly scopes: readonly string[] }
  | { readonly kind: 'resource-metadata'; readonly scopes: readonly string[]; readonly resource: string }
  /** `resource` undefined: none that is served here. */
  | {
      readonly kind: 'authorize'
      readonly scopes: readonly string[]
      readonly resource: string | undefined
      readonly parameters: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'code'
      readonly client: string
      readonly resource: string | undefined
      readonly code: string
      readonly redirectUri: string
      readonly verifier: string
    }
  | { readonly kind: 'refresh'; readonly client: string; readonly resource: string | undefined; readonly handle: string }
  | { readonly kind: 'revoke'; readonly client: string; readonly handle: string }

/** A call of one agent to another, or the question for its card. */
export interface A2aCall {
  readonly kind: 'a2a'
  readonly upstream: UpstreamName
  /** The id of the request, which the called agent is told. */
  readonly requestId: string
  /** Whoever answers must be this agent. */
  readonly peer: AgentIdentity
  /** What is asked: a message, whose bytes are those of the judged value, or the card. */
  readonly asked:
    | { readonly kind: 'message'; readonly message: JsonRpcRequest; readonly bytes: Uint8Array; readonly isSubscription: boolean }
    /** `url`: where whoever asks reaches the agent through the gateway. */
    | { readonly kind: 'card'; readonly url: string }
  /** Path at the other agent. */
  readonly target: string
  readonly headers: HeaderLines
  /** With which scopes the session of the caller is passed on; undefined where it is not. */
  readonly passesOn: readonly string[] | undefined
  readonly signal: AbortSignal
}

/** A session that its agent wants to pass on: what stands here is the most that the other agent gets. */
export interface DelegationCall {
  readonly kind: 'delegation'
  readonly to: AgentIdentity
  readonly scopes: readonly string[]
}

/** The reserved upstream name under which an agent asks something of the gateway itself. */
export const ownUpstream = 'sallyport'

/** The action of an HTTP call that fits no operation of its upstream. */
export const unlisted = 'unlisted'
