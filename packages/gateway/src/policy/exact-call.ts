import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { canonicalJson, unreachable, type Json, type JsonObject } from '@sallyport/contract'
import type { AccessRequest, Call } from '../access/access-request.ts'
import type { HeaderLines } from '../edge/inbound.ts'
import type { PrincipalSession } from '../identity/identify.ts'
import type { CallDigest } from './decision.ts'

/**
 * What makes two calls the same call, and what a person is shown who is asked about one: who asks and for which person, where, what, with which arguments, headers and `_meta`.
 *
 * Left out is what changes with every try and says nothing of what is asked: the JSON-RPC id, progress tokens, traces, the client's name, and the order of
 * members.
 */
export function exactCall({ principal, upstream, action, resource, args, call }: AccessRequest): JsonObject {
  return {
    tenant: principal.tenant,
    agent: principal.agent,
    ...(principal.session && { person: { issuer: principal.session.issuer, subject: principal.session.subject }, ...actorsOf(principal.session) }),
    upstream,
    action,
    resource,
    ...(args !== undefined && { args }),
    call: whatIsSent(call, args),
  }
}

/**
 * Keyed, because arguments can often be guessed and the digest stands in the log.
 *
 * @param key at least 32 bytes; a KeyObject, because Node takes six times as long to make an HMAC from bare bytes
 * @see RFC 2104, RFC 8785
 */
export function callDigest(key: KeyObject, exact: JsonObject): CallDigest {
  return createHmac('sha256', key).update(canonicalJson(exact)).digest('base64url')
}

/** Beside the arguments. */
function whatIsSent(call: Call, args: Json | undefined): JsonObject {
  switch (call.kind) {
    case 'http': {
      const { kind, method, target, headers, body } = call
      // A judged body is in the arguments, whatever the order of its members; bytes that are not must be told apart themselves.
      const bytes = args === undefined && body instanceof Uint8Array ? createHash('sha256').update(body).digest('base64url') : null
      return { kind, method, target, headers: tellingHeaders(headers), bytes }
    }
    case 'llm': {
      // The judged body is in the arguments.
      const { kind, method, target, headers } = call
      return { kind, method, target, headers: tellingHeaders(headers) }
    }
    case 'mcp': {
      const { kind, verb, message } = call
      return { kind, verb, ...(message && { message: tellingMessage(message.value, args) }) }
    }
    case 'mcp-listing':
      return { kind: call.kind }
    case 'a2a': {
      // What is said is in the arguments.
      const { kind, asked, headers, passesOn } = call
      return { kind, asked: asked.kind === 'message' ? asked.message.method : asked.kind, headers: tellingHeaders(headers), passesOn: passesOn ?? null }
    }
    case 'delegation':
      return { kind: call.kind, to: call.to.id, scopes: call.scopes }
    case 'client-login':
      return { kind: call.kind, origin: call.origin, asked: JSON.stringify(call.asked) }
    case 'gateway':
      return { kind: call.kind, operation: call.operation, input: call.input ?? null }
    default:
      return unreachable(call)
  }
}

function actorsOf({ actors }: PrincipalSession): { readonly actors?: Json } {
  return actors.length > 0 ? { actors: actors.map(({ id }) => id) } : {}
}

/** Clients and their libraries set these anew for each try. */
const ofOneTry: ReadonlySet<string> = new Set(['user-agent', 'traceparent', 'tracestate', 'idempotency-key', 'content-length'])

function tellingHeaders(headers: HeaderLines): Json {
  return headers.filter(([name]) => !ofOneTry.has(name) && !/^accept(?:-|$)/.test(name)).map(([name, value]) => [name, value])
}

/** Arguments that stand beside the message already are not said twice. */
function tellingMessage({ method, params, result, error }: JsonObject, args: Json | undefined): JsonObject {
  return {
    ...(method !== undefined && { method }),
    ...(params !== undefined && { params: tellingParams(params, args) }),
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
  }
}

/** What of an MCP message travels beside its arguments, and the upstream reads as well; undefined for nothing. */
export function besideArguments(call: Call, args: Json | undefined): JsonObject | undefined {
  if (call.kind !== 'mcp' || !call.message) return undefined
  const { params } = tellingMessage(call.message.value, args)
  if (!isObject(params)) return undefined
  const { _meta, inputResponses, requestState } = params
  const beside = {
    ...(_meta !== undefined && { _meta }),
    ...(inputResponses !== undefined && { inputResponses }),
    ...(requestState !== undefined && { requestState }),
  }
  return Object.keys(beside).length > 0 ? beside : undefined
}

const metaOfOneTry: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage'])

function tellingParams(params: Json, args: Json | undefined): Json {
  if (!isObject(params)) return params
  const { _meta: meta, arguments: given, ...others } = params
  const telling = isObject(meta)
    ? Object.fromEntries(Object.entries(meta).filter(([name]) => !metaOfOneTry.has(name) && !name.startsWith('io.modelcontextprotocol/')))
    : (meta ?? {})
  const isSilent = isObject(telling) && Object.keys(telling).length === 0
  return { ...others, ...(given !== undefined && given !== args && { arguments: given }), ...(!isSilent && { _meta: telling }) }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
