import { parseJson, parseUpstreamName, refused, unreachable, type Refused, type UpstreamName } from '@sallyport/contract'
import { headerValue, type Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import {
  ownUpstream,
  type AccessRequest,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type McpCall,
  type McpEra,
} from '../access-request.ts'
import type { UpstreamAccess } from '../access-snapshot.ts'
import { readJudgedBody } from '../judged-body.ts'
import { mcpUpstream, resolve } from './addressed-upstream.ts'
import { mirroredParameters } from './header-agreement.ts'
import { isJsonObject, paramsOf, readJsonRpc, withoutMeta } from './json-rpc.ts'
import type { McpUpstreamAccess } from './mcp-upstream.ts'
import { eraOfMessage, legacyOnly, unknownMethod } from './message-era.ts'
import { isNotificationKnown, requestRow, type MethodRow } from './methods.ts'
import { eraOf } from './revision.ts'
import { aboutRequest, malformed, rpcFlaws, type Flawed, type McpRefused } from './rpc-refusal.ts'
import { openServerRequest, openSession } from './sealed-session.ts'

/** What MCP needs of the access snapshot. */
export interface McpAccess {
  readonly upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>
  readonly judgedBodyBytesMax: number
  readonly sessionKey: Uint8Array
}

/** A request whose place is known: where it came in, from whom, and which upstreams it may concern. */
interface Arrival {
  readonly access: McpAccess
  readonly principal: Principal
  readonly inbound: Inbound
  /** Absent at the aggregated endpoint. */
  readonly direct: McpUpstreamAccess | undefined
}

/**
 * Turns a request at `/mcp/<upstream>`, or at the aggregated `/mcp`, into the question to policy.
 *
 * At both addresses one call has one action and one resource, so one set of rules holds for both. Refuses `access.malformed`, `access.too-large`,
 * `access.unsupported-media`, `access.unsupported-version`, `access.unknown-method`, `access.method-not-allowed`, `access.session-invalid` and
 * `access.unknown-upstream`; where the request could be read, with what JSON-RPC calls it.
 *
 * @throws BodyError when the body does not arrive as announced.
 * @see MCP 2025-11-25 and 2026-07-28, Streamable HTTP
 */
export async function understandMcp(
  access: McpAccess,
  principal: Principal,
  inbound: Inbound,
  target: { readonly upstream: UpstreamName | undefined },
): Promise<AccessRequest | McpRefused> {
  const direct = target.upstream && mcpUpstream(access.upstreams, target.upstream)
  if (target.upstream !== undefined && !direct) return refused('access.unknown-upstream')
  if (inbound.query !== '') return malformed('MCP endpoints take no query')
  const arrival = { access, principal, inbound, direct }
  switch (inbound.method) {
    case 'POST':
      return understandPost(arrival)
    case 'GET':
    case 'DELETE':
      return understandSession(arrival, inbound.method)
    default:
      return refused('access.method-not-allowed', undefined, { detail: 'Use POST, GET or DELETE.' })
  }
}

/** GET opens the event stream of a session, DELETE ends it: both only exist where there are sessions. */
function understandSession(arrival: Arrival, verb: 'GET' | 'DELETE'): AccessRequest | Refused {
  const { headers } = arrival.inbound
  const version = headerValue(headers, 'mcp-protocol-version')
  if (version !== undefined && eraOf(version) !== 'legacy') return refused('access.method-not-allowed', undefined, { detail: 'This revision only uses POST.' })
  if (arrival.inbound.body) return malformed(`${verb} has no body here`)
  // A session of the aggregated endpoint is nothing but its sealed id, so nothing ends; the protocol lets a server answer so.
  if (!arrival.direct && verb === 'DELETE') return refused('access.method-not-allowed', undefined, { detail: 'Sessions of /mcp end by themselves.' })
  const session = sessionOf(arrival)
  if (session?.kind === 'refused') return session
  // A server without sessions may still have a stream; a session that is not named cannot be ended.
  if (!session && (verb === 'DELETE' || arrival.direct?.transport !== 'http'))
    return refused('access.session-invalid', 'no session', { detail: 'Mcp-Session-Id is missing.' })
  const eventId = headerValue(headers, 'last-event-id')
  const resource = verb === 'GET' ? 'stream' : 'session'
  return request(
    arrival,
    arrival.direct,
    { action: resource, resource, args: undefined, standing: 'protocol' },
    {
      verb,
      message: undefined,
      era: 'legacy',
      session,
      headers: verb === 'GET' && eventId !== undefined ? [['last-event-id', eventId]] : [],
    },
  )
}

async function understandPost(arrival: Arrival): Promise<AccessRequest | McpRefused> {
  const message = await readMessage(arrival)
  if (message.kind === 'refused') return message
  const understood = understandMessage(arrival, message)
  return 'problem' in understood ? aboutRequest(message, understood) : understood
}

function understandMessage(arrival: Arrival, message: JsonRpcMessage): AccessRequest | Flawed {
  const era = message.kind === 'response' ? legacyOnly(arrival.inbound) : eraOfMessage(arrival.inbound, message)
  if (typeof era === 'object') return era
  const session = era === 'legacy' && !isInitialize(message) ? sessionOf(arrival) : undefined
  if (session?.kind === 'refused') return session
  switch (message.kind) {
    case 'response':
      return understandResponse(arrival, message, session)
    case 'notification':
      if (!isNotificationKnown(message.method, era)) return malformed(`the notification ${message.method} is not accepted`)
      return request(arrival, arrival.direct, protocolQuestion(message.method), { verb: 'POST', message, era, session, headers: [] })
    case 'request':
      return understandRequest(arrival, message, era, session)
    default:
      return unreachable(message)
  }
}

function understandRequest(arrival: Arrival, message: JsonRpcRequest, era: McpEra, session: OpenedSession | undefined): AccessRequest | Flawed {
  const { method } = message
  const params = paramsOf(message)
  const row = requestRow(method, era, params)
  if (!row) return unknownMethod(method, era)
  const headers = era === 'modern' ? mirroredParameters(arrival.inbound.headers) : []
  // Together with all others, single resources are not watched: what is asked of them is not granted, and the rest is bookkeeping.
  const isOwn = !arrival.direct && method === 'subscriptions/listen'
  if (row.standing === 'protocol' || isOwn) return request(arrival, arrival.direct, protocolQuestion(method), { verb: 'POST', message, era, session, headers })

  if (!arrival.direct && !row.addressing) return unknownMethod(method, era)
  const addressed = arrival.direct ? { upstream: arrival.direct, message } : resolve(arrival.access.upstreams, message, row)
  if (addressed.upstream === undefined) return { ...refused('access.unknown-upstream', `${method} at /mcp names no upstream`), flaw: rpcFlaws.unknownName }
  const question = callQuestion(row, addressed.message, addressed.upstream)
  return question.kind === 'refused'
    ? question
    : request(arrival, addressed.upstream, question, { verb: 'POST', message: addressed.message, era, session, headers })
}

/** The members that a call may have beside `_meta`. What is not judged must not travel along. */
const callMembers: Readonly<Record<string, readonly string[]>> = {
  'tools/call': ['name', 'arguments', 'inputResponses', 'requestState'],
  'prompts/get': ['name', 'arguments', 'inputResponses', 'requestState'],
  'resources/read': ['uri', 'inputResponses', 'requestState'],
}

type Question = Pick<AccessRequest, 'action' | 'resource' | 'args' | 'standing'>

function callQuestion(row: MethodRow, message: JsonRpcRequest, upstream: McpUpstreamAccess): (Question & { readonly kind: 'question' }) | Flawed {
  const { method } = message
  const params = paramsOf(message)
  const allowed = Object.hasOwn(callMembers, method) ? callMembers[method] : undefined
  const unknown = allowed && Object.keys(withoutMeta(params)).find((member) => !allowed.includes(member))
  if (unknown !== undefined) return malformed(`${method} has an unknown member in its params`)
  if (params['inputResponses'] !== undefined && upstream.serverRequests.size === 0) return malformed('answers to requests of the server are not accepted here')
  const resource = row.resource(params)
  if (resource === undefined) return malformed(`the params of ${method} do not say what it acts on`)
  const { arguments: given } = params
  if (method !== 'tools/call' && method !== 'prompts/get') return { kind: 'question', action: method, resource, args: withoutMeta(params), standing: 'call' }
  if (given !== undefined && !isJsonObject(given)) return malformed('arguments is an object')
  return { kind: 'question', action: method === 'tools/call' ? resource : method, resource, args: given ?? {}, standing: 'call' }
}

/** An answer of the agent to a request of the server: only under an id that the gateway gave out when it let that request through. */
function understandResponse(arrival: Arrival, message: JsonRpcResponse, session: OpenedSession | undefined): AccessRequest | Flawed {
  const { access, principal, direct } = arrival
  const opened = openServerRequest(access.sessionKey, principal.id, message.id)
  if (!opened || !direct || opened.upstream !== direct.name) return malformed('the answer belongs to no request that was let through')
  if (opened.session !== session?.upstreamSession) return malformed('the answer belongs to another session')
  const own: JsonRpcResponse = { kind: 'response', id: opened.id, value: { ...message.value, id: opened.id } }
  const question = { action: 'response', resource: 'response', args: undefined, standing: 'protocol' } as const
  return request(arrival, direct, question, { verb: 'POST', message: own, era: 'legacy', session, headers: [] })
}

async function readMessage({ access, inbound }: Arrival): Promise<JsonRpcMessage | Refused> {
  const media = headerValue(inbound.headers, 'content-type')
  if (!/^application\/json *(?:; *charset="?utf-8"?)?$/i.test(media ?? '')) {
    return refused('access.unsupported-media', undefined, { detail: 'Send application/json.' })
  }
  const body = await readJudgedBody(inbound, access.judgedBodyBytesMax)
  if (body.kind === 'refused') return body
  const parsed = parseJson(body.bytes, { bytesMax: access.judgedBodyBytesMax, depthMax: messageDepthMax, distinctNames: true })
  if (parsed.kind === 'refused') return malformed(parsed.reason)
  const message = readJsonRpc(parsed.value)
  return message.kind === 'refused' ? malformed(message.reason) : message
}

/** Deepest nesting of a message. */
const messageDepthMax = 64

interface OpenedSession {
  readonly kind: 'session'
  readonly upstreamSession: string | undefined
}

function sessionOf({ access, principal, inbound, direct }: Arrival): OpenedSession | Refused | undefined {
  const sealed = inbound.headers.filter(([name]) => name === 'mcp-session-id')
  const [first] = sealed
  if (!first) return undefined
  const upstreamSession = sealed.length === 1 ? openSession(access.sessionKey, { agent: principal.id, upstream: direct?.name }, first[1]) : undefined
  return upstreamSession === undefined ? refused('access.session-invalid') : { kind: 'session', upstreamSession }
}

/** At the aggregated endpoint too, where one list asks every upstream. */
function protocolQuestion(method: string): Question {
  return { action: method, resource: method, args: undefined, standing: 'protocol' }
}

function request(
  { access, principal, inbound, direct }: Arrival,
  upstream: McpUpstreamAccess | undefined,
  question: Question,
  { session, ...call }: Pick<McpCall, 'verb' | 'message' | 'era' | 'headers'> & { readonly session: OpenedSession | undefined },
): AccessRequest {
  const name = upstream?.name ?? parseUpstreamName(ownUpstream) // the aggregated endpoint itself
  if (!name) throw new TypeError('the reserved name is a name')
  return {
    id: inbound.id,
    principal,
    upstream: name,
    action: question.action,
    resource: question.resource,
    args: question.args,
    standing: question.standing,
    context: {
      protocol: 'mcp',
      method: call.message && 'method' in call.message ? call.message.method : call.verb,
      remoteAddress: inbound.connection.remoteAddress,
    },
    call: {
      kind: 'mcp',
      requestId: inbound.id,
      upstream: upstream?.name,
      endpoint: direct ? 'direct' : 'aggregate',
      targets: upstream ? [upstream] : [...access.upstreams.values()].filter((candidate) => candidate.protocol === 'mcp'),
      ...call,
      session,
      protocolVersion: headerValue(inbound.headers, 'mcp-protocol-version'),
      signal: inbound.signal,
    },
  }
}

function isInitialize(message: JsonRpcMessage): boolean {
  return message.kind === 'request' && message.method === 'initialize'
}
