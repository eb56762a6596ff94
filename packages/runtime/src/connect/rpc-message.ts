import { parseJson, type Json, type JsonObject } from '@sallyport/contract'

export type RpcId = string | number

/** One JSON-RPC message from the client, and the exact text that goes on: the gateway judges what the client wrote, not what we would write. */
export type ClientMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: JsonObject; readonly text: string }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject; readonly text: string }
  | { readonly kind: 'response'; readonly text: string }

export type ClientRequest = Extract<ClientMessage, { kind: 'request' }>

/** `code` is JSON-RPC's own. */
export type ReadMessage = ClientMessage | { readonly kind: 'refused'; readonly code: -32700 | -32600; readonly reason: string }

/** Reads one line of a client as strictly as the gateway will. Batches are no part of the protocol's revisions that are spoken here. */
export function readClientMessage(text: string, bytesMax: number): ReadMessage {
  const parsed = parseJson(text, { bytesMax, depthMax: 64 })
  if (parsed.kind === 'refused') return { kind: 'refused', code: -32700, reason: parsed.reason }
  const { value } = parsed
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return { kind: 'refused', code: -32600, reason: 'a message is one JSON-RPC 2.0 object' }
  const { id, method } = value
  const params = isObject(value['params']) ? value['params'] : {}
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'notification', method, params, text }
    return isId(id) ? { kind: 'request', id, method, params, text } : { kind: 'refused', code: -32600, reason: 'an id is a string or a number' }
  }
  const isResponse = isId(id) && ('result' in value || 'error' in value)
  return isResponse ? { kind: 'response', text } : { kind: 'refused', code: -32600, reason: 'a message is a request, a notification or a response' }
}

/** One message from the gateway, as one line. */
export interface PeerMessage {
  readonly line: string
  /** Present in answers to a request. */
  readonly answers: RpcId | undefined
  readonly value: JsonObject
}

/** Undefined if the text is no JSON object. Numbers that do not fit a double are left as they are in `line`: an answer is passed on, not judged. */
export function readPeerMessage(text: string): PeerMessage | undefined {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { id, method } = value
  const answers = method === undefined && isId(id) ? id : undefined
  // In valid JSON a raw line end is white space between tokens, never part of a string.
  return { line: text.trim().replaceAll(/[\r\n]+/g, ' '), answers, value }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: Json | undefined): value is RpcId {
  return typeof value === 'string' || typeof value === 'number'
}
