import { refused, type JsonObject, type Refused } from '@sallyport/contract'
import type { JsonRpcId, JsonRpcMessage } from '../access-request.ts'

/** What JSON-RPC and the protocol call a refusal; the problem says the same in the gateway's own words. */
export interface RpcFlaw {
  readonly code: number
  /** Members that the protocol wants in the error's `data`. */
  readonly data?: JsonObject
  /** Where the protocol wants another HTTP status than the problem's. */
  readonly status?: number
}

/** @see MCP 2026-07-28, Error Codes; JSON-RPC 2.0 section 5.1 */
export const rpcFlaws = {
  methodNotFound: { code: -32601 },
  invalidParams: { code: -32602 },
  /** A name that exists nowhere, in a message that is otherwise right: 404 would tell a client that its session is over. */
  unknownName: { code: -32602, status: 200 },
  headerMismatch: { code: -32020 },
} as const satisfies Record<string, RpcFlaw>

export const unsupportedRevisionCode = -32022

/** A refusal in access that can be told in JSON-RPC, since the id of the request is known. */
export interface McpRefused extends Refused {
  readonly rpc?: RpcFlaw & { readonly id: JsonRpcId }
}

/** A refusal whose request is not known yet. */
export interface Flawed extends Refused {
  readonly flaw?: RpcFlaw
}

/** Gives a refusal the id that its answer must bear. */
export function aboutRequest(message: JsonRpcMessage, { flaw, ...refusal }: Flawed): McpRefused {
  return message.kind === 'request' && flaw ? { ...refusal, rpc: { ...flaw, id: message.id } } : refusal
}

export function malformed(reason: string, flaw: RpcFlaw = rpcFlaws.invalidParams): Flawed {
  return { ...refused('access.malformed', reason, { detail: `The MCP message is refused: ${reason}.` }), flaw }
}
