import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { canonicalJson, unreachable, type Json } from '@sallyport/contract'
import type { AccessRequest, Call } from '../access/access-request.ts'
import type { CallDigest } from './decision.ts'

/**
 * What makes two calls the same call: who asks, where, what, with which arguments. Left out is what changes with every try: the JSON-RPC id, `_meta`, headers
 * and the order of members.
 *
 * Keyed, because arguments can often be guessed and the digest stands in the log.
 *
 * @param key at least 32 bytes; a KeyObject, because Node takes six times as long to make an HMAC from bare bytes
 * @see RFC 2104, RFC 8785
 */
export function callDigest(key: KeyObject, request: AccessRequest): CallDigest {
  const { principal, upstream, action, resource, args, call } = request
  const exact: Json = {
    tenant: principal.tenant,
    agent: principal.agent,
    upstream,
    action,
    resource,
    args: args ?? null,
    hasArgs: args !== undefined,
    call: exactCall(call, args !== undefined),
  }
  return createHmac('sha256', key).update(canonicalJson(exact)).digest('base64url')
}

function exactCall(call: Call, areArgsJudged: boolean): Json {
  switch (call.kind) {
    case 'http': {
      const { kind, method, target, body } = call
      // A judged body is in the arguments, whatever the order of its members; bytes that are not must be told apart themselves.
      const bytes = !areArgsJudged && body instanceof Uint8Array ? createHash('sha256').update(body).digest('base64url') : null
      return { kind, method, target, bytes }
    }
    case 'mcp': {
      const { kind, verb, message } = call
      return { kind, verb, message: message ? exactMessage(message.value) : null }
    }
    case 'gateway':
      return { kind: call.kind, operation: call.operation, input: call.input ?? null }
    default:
      return unreachable(call)
  }
}

function exactMessage({ method, params, result, error }: Readonly<Record<string, Json>>): Json {
  return { method: method ?? null, params: withoutMeta(params), result: result ?? null, error: error ?? null }
}

function withoutMeta(params: Json | undefined): Json {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return params ?? null
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== '_meta'))
}
