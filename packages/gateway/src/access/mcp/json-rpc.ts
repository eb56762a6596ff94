import type { Json, JsonObject } from '@sallyport/contract'
import type { JsonRpcId, JsonRpcMessage } from '../access-request.ts'

/** Longest id, method or name, in UTF-16 units. */
export const wordLengthMax = 512

export type ReadJsonRpc = { readonly kind: 'refused'; readonly reason: string } | JsonRpcMessage

/**
 * Reads one JSON-RPC 2.0 message in its exact form: no batch, no other member, an id that is a string or a whole number, params that are an object.
 * Whatever a lenient peer might take for two different kinds of message is refused.
 *
 * @see JSON-RPC 2.0 sections 4 and 5; MCP 2025-11-25 and 2026-07-28, Basic Protocol
 */
export function readJsonRpc(value: Json): ReadJsonRpc {
  if (isJsonArray(value)) return flaw('batches are not part of the protocol')
  if (!isJsonObject(value)) return flaw('a message is an object')
  const { jsonrpc, id, method, params, result, error, ...others } = value
  const [other] = Object.keys(others)
  if (other !== undefined) return flaw('a message has no other members')
  if (jsonrpc !== '2.0') return flaw('jsonrpc is "2.0"')
  if (method === undefined) return readResponse(value)
  if (result !== undefined || error !== undefined) return flaw('a message is either a request or a response')
  if (typeof method !== 'string' || !isWord(method)) return flaw('method is a short string')
  if (params !== undefined && !isJsonObject(params)) return flaw('params is an object')
  if (id === undefined) return { kind: 'notification', method, value }
  if (!isId(id)) return flaw('id is a short string or a whole number')
  return { kind: 'request', id, method, value }
}

function readResponse(value: JsonObject): ReadJsonRpc {
  const { id, params, result, error } = value
  if (params !== undefined) return flaw('a response has no params')
  if ((result === undefined) === (error === undefined)) return flaw('a response has either a result or an error')
  if (result !== undefined) {
    if (!isJsonObject(result)) return flaw('result is an object')
    return isId(id) ? { kind: 'response', id, value } : flaw('id is a short string or a whole number')
  }
  if (!isJsonObject(error)) return flaw('error is an object')
  const { code, message, ...others } = without(error, 'data')
  if (typeof code !== 'number' || !Number.isInteger(code) || typeof message !== 'string' || Object.keys(others).length > 0) {
    return flaw('an error has a whole code, a message and perhaps data')
  }
  if (id === undefined || id === null) return { kind: 'response', value }
  return isId(id) ? { kind: 'response', id, value } : flaw('id is a short string or a whole number')
}

/** The params of a message; an empty object where it has none. */
export function paramsOf({ value }: JsonRpcMessage): JsonObject {
  const { params } = value
  return isJsonObject(params) ? params : {}
}

export function withoutMeta(params: JsonObject): JsonObject {
  return without(params, '_meta')
}

/** The object without some of its members. */
export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `Array.isArray` does not narrow a union with a readonly array. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function isId(id: Json | undefined): id is JsonRpcId {
  return typeof id === 'string' ? id.length <= wordLengthMax : typeof id === 'number' && Number.isSafeInteger(id)
}

/** Printable ASCII without space: no method of the protocol needs more, and look-alikes cannot stand in a rule's way. */
function isWord(text: string): boolean {
  return text.length <= wordLengthMax && /^[\x21-\x7e]+$/.test(text)
}

function flaw(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason }
}
