import type { AgentName, JsonObject, Refused, TenantName, UpstreamName } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../access/access-request.ts'

/** Whose child process it is: no two owners ever share one. */
export interface ChildOwner {
  readonly tenant: TenantName
  readonly agent: AgentName
  readonly upstream: UpstreamName
}

export interface ChildStatus extends ChildOwner {
  readonly state: 'starting' | 'running' | 'waiting'
  readonly pid: number | undefined
  readonly starts: number
  /** The end of what it wrote to its error stream, for the operator only. */
  readonly errors: string
}

/**
 * MCP servers that the gateway runs as child processes and speaks 2025-11-25 with, over their standard streams.
 *
 * A child starts with its first use, with exactly the configured environment, and without a shell. Ids and progress tokens are replaced on the way in and put
 * back on the way out, so that sessions of one agent can share its child and never see each other's answers. When a child ends, what was in flight fails at
 * once; the next use starts another, after a delay that grows with every failed start.
 */
export interface StdioServers {
  /**
   * Starts the child if need be; gives what it answered to `initialize`. Refuses `forward.upstream-failed`, `forward.upstream-timeout`,
   * `forward.credential-missing` and `edge.overloaded`.
   */
  open(owner: ChildOwner): Promise<{ readonly kind: 'opened'; readonly initialized: JsonObject } | Refused>
  /**
   * Sends a request; its messages end with the response. Aborting, or leaving the messages early, tells the child that the request is cancelled.
   * The messages throw Fault when the child ends, breaks the protocol or exceeds the upstream's deadline or limit (`refusalOf` names these two).
   */
  request(
    owner: ChildOwner,
    session: string,
    request: JsonRpcRequest,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'messages'; readonly messages: AsyncIterable<JsonRpcMessage> } | Refused>
  /** Passes a notification on; one that cancels a request reaches the child only for a request of the same session. Does not start a child. */
  notify(owner: ChildOwner, session: string, notification: JsonRpcNotification): Promise<void>
  /** Passes on an answer to a request of the child. Does not start a child. */
  respond(owner: ChildOwner, response: JsonRpcResponse): Promise<void>
  /** What the child says without being asked, until aborted. Ends when the child ends. */
  listen(owner: ChildOwner, signal: AbortSignal): Promise<{ readonly kind: 'messages'; readonly messages: AsyncIterable<JsonRpcMessage> } | Refused>
}

/** The thread that runs them. */
export interface StdioSupervisor extends StdioServers {
  status(): readonly ChildStatus[]
  /** Ends every child and what it started. */
  close(): Promise<void>
}
