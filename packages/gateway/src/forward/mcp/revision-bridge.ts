import type { JsonObject } from '@sallyport/contract'
import type { JsonRpcMessage, McpEra } from '../../access/access-request.ts'
import { isJsonObject, paramsOf, without } from '../../access/mcp/json-rpc.ts'
import { metaKeys, metaOf, modernRevision } from '../../access/mcp/revision.ts'

/** What the gateway says of itself as a client and as a server. */
export interface Implementation {
  readonly name: string
  readonly version: string
}

const reservedMeta = 'io.modelcontextprotocol/'

/** Results that carry how long they may be kept. @see MCP 2026-07-28, Caching (SEP-2549) */
const cacheable: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'server/discover',
])

/** Puts a judged message into the revision that the upstream speaks. What the call does stays; only the envelope changes. */
export function bridgeMessage(message: JsonRpcMessage, from: McpEra, to: McpEra, self: Implementation): JsonRpcMessage {
  if (from === to || message.kind === 'response') return message
  const params = without(paramsOf(message), '_meta', 'inputResponses', 'requestState')
  const plainMeta = Object.fromEntries(Object.entries(metaOf(paramsOf(message))).filter(([key]) => !key.startsWith(reservedMeta)))
  const meta: JsonObject = to === 'legacy' ? plainMeta : { ...plainMeta, ...envelope(self) }
  const isEmpty = Object.keys(meta).length === 0
  return { ...message, value: { ...message.value, params: isEmpty ? params : { ...params, _meta: meta } } }
}

/** The envelope of the gateway's own requests. */
export function envelope({ name, version }: Implementation): JsonObject {
  return { [metaKeys.protocolVersion]: modernRevision, [metaKeys.clientInfo]: { name, version }, [metaKeys.clientCapabilities]: {} }
}

/** Puts an upstream's response into the revision that the caller speaks. */
export function bridgeResponse(method: string, value: JsonObject, upstream: McpEra, caller: McpEra): JsonObject {
  if (upstream === caller) return value
  const { result, error } = value
  if (isJsonObject(error))
    return caller === 'modern' && error['code'] === resourceNotFoundLegacy ? { ...value, error: { ...error, code: invalidParams } } : value
  if (!isJsonObject(result)) return value
  return { ...value, result: caller === 'modern' ? completeResult(method, result) : plainResult(result) }
}

/** A result as 2026-07-28 wants it; nothing is said to be cacheable, since what an agent may see can change with every revision of the rules. */
export function completeResult(method: string, result: JsonObject): JsonObject {
  return { ...result, resultType: 'complete', ...(cacheable.has(method) && { ttlMs: 0, cacheScope: 'private' }) }
}

function plainResult(result: JsonObject): JsonObject {
  return without(result, 'resultType', 'ttlMs', 'cacheScope')
}

const resourceNotFoundLegacy = -32002
const invalidParams = -32602
