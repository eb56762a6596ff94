import { problems, type Json, type JsonObject } from '@sallyport/contract'
import type { JsonRpcRequest, JsonRpcResponse } from '../../access/access-request.ts'
import { isJsonObject } from '../../access/mcp/json-rpc.ts'
import { problemError } from '../../access/mcp/mcp-refusal.ts'

/** Methods that an agent's client does not have, as JSON-RPC says it. */
const methodNotFound = -32601

/** What an upstream is told instead of the agent's answer. A ping is answered, since it asks nothing. */
export function answerForAgent({ id, method }: JsonRpcRequest): JsonRpcResponse {
  const reply: JsonObject =
    method === 'ping' ? { result: {} } : { error: { code: methodNotFound, message: problems['forward.request-from-server-refused'].title } }
  return { kind: 'response', id, value: { jsonrpc: '2.0', id, ...reply } }
}

/** Whether a result of 2026-07-28 asks the agent for something that the upstream may not ask. @see MCP 2026-07-28, Multi Round-Trip Requests (SEP-2322) */
export function asksTooMuch(result: JsonObject, allowed: ReadonlySet<string>): boolean {
  if (result['resultType'] !== 'input_required') return false
  const { inputRequests } = result
  const asked: readonly Json[] = isJsonObject(inputRequests) ? Object.values(inputRequests) : []
  // State alone asks the client to come back unasked; it is part of the same conversation, so it needs the same permission.
  if (asked.length === 0) return allowed.size === 0
  return !asked.every((request) => isJsonObject(request) && typeof request['method'] === 'string' && allowed.has(request['method']))
}

/** What the agent gets in place of a result that asks too much: for a tool its own error, so that the model can go on. */
export function refusedInput(method: string | undefined, isModern: boolean, requestId: string): JsonObject {
  const code = 'forward.request-from-server-refused'
  if (method !== 'tools/call') return { error: problemError({ code }, requestId) }
  const { title } = problems[code]
  const content = [{ type: 'text', text: `${title}. The tool asked for input that this gateway does not let through.` }]
  return { result: { ...(isModern && { resultType: 'complete' }), isError: true, content } }
}
