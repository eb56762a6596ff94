import { Fault, parseJson, type Refused } from '@sallyport/contract'
import { readJsonRpc } from '../../access/mcp/json-rpc.ts'
import type { JsonRpcMessage, McpEra } from '../../access/access-request.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { HeaderLines } from '../../edge/inbound.ts'

/** What an upstream sends back for one message, in one shape for every transport. */
export interface UpstreamReply {
  readonly kind: 'reply'
  /** `none`: accepted or ended without a message. */
  readonly form: 'none' | 'json' | 'stream'
  /** 404: the upstream does not know the session. */
  readonly status: number
  /** The session that the upstream opened with this reply. */
  readonly session: string | undefined
  /** @throws Fault when the upstream breaks or sends what is not one strict message. Cancelling it (`return`) ends the exchange. */
  readonly events: AsyncIterable<UpstreamEvent>
}

export interface UpstreamEvent {
  /** Absent for a sign of life. */
  readonly message: JsonRpcMessage | undefined
  readonly id?: string
  readonly retryMs?: number
}

export interface Sending {
  readonly verb: 'POST' | 'GET' | 'DELETE'
  readonly message: JsonRpcMessage | undefined
  readonly headers: HeaderLines
  readonly signal: AbortSignal
}

/** One agent's way to one upstream, whatever lies between. */
export interface Conversation {
  readonly upstream: McpUpstreamAccess
  /** What the upstream speaks here. */
  readonly era: McpEra
  readonly session: string | undefined
  send(sending: Sending): Promise<UpstreamReply | Refused>
}

/** Deepest nesting of a message of an upstream. */
const messageDepthMax = 64

/**
 * Reads a message of an upstream once and strictly; what passes on is this value, so an agent cannot read another message out of the same bytes.
 *
 * @throws Fault when it is not exactly one JSON-RPC message.
 */
export function readUpstreamMessage(text: string | Uint8Array, bytesMax: number): JsonRpcMessage {
  const parsed = parseJson(text, { bytesMax, depthMax: messageDepthMax })
  if (parsed.kind === 'refused') throw new Fault(`a message of the upstream is refused: ${parsed.reason}`, 'unknown')
  const message = readJsonRpc(parsed.value)
  if (message.kind === 'refused') throw new Fault(`a message of the upstream is refused: ${message.reason}`, 'unknown')
  return message
}
