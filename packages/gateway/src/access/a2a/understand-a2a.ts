import { refused, reachedAtHeader, ticketMark, type JsonObject, type Refused } from '@sallyport/contract'
import { headerValue, type HeaderLines, type Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { objectionToDelegation, scopesPassedOn } from '../../identity/objection-to-delegation.ts'
import type { A2aCall, AccessRequest, JsonRpcRequest } from '../access-request.ts'
import { forwardableHeaders } from '../http/forwardable-headers.ts'
import { readJudgedJson } from '../judged-json.ts'
import { isJson, parseMediaType } from '../media-type.ts'
import { paramsOf, readJsonRpc } from '../mcp/json-rpc.ts'
import type { McpRefused } from '../mcp/rpc-refusal.ts'
import { a2aFlaws } from './a2a-refusal.ts'
import type { A2aUpstreamAccess } from './a2a-upstream.ts'
import { isWebhookMethod, methodRow } from './methods.ts'
import { readParams } from './read-params.ts'

/** @see A2A 1.0 section 8.2, RFC 8615 */
const cardPath = '/.well-known/agent-card.json'
/** The action under which an agent asks who another is. */
const cardAction = 'card'
const version = '1.0'

/**
 * Reads a call to another agent: which method, about which task, saying what. What will be forwarded is written anew from what was read here; of the caller's headers
 * only those pass that the protocol needs.
 *
 * `path` is the part below `/a2a/<upstream>`.
 *
 * Refuses `access.unknown-target`, `access.method-not-allowed`, `access.malformed`, `access.unsupported-media`, `access.unsupported-version`, `access.too-large`,
 * `access.unknown-method`, and `access.delegation-refused` where the session would have to be passed on and cannot be.
 *
 * @throws BodyError when the body does not arrive as announced.
 */
export async function understandA2a(
  upstream: A2aUpstreamAccess,
  principal: Principal,
  inbound: Inbound,
  path: string,
  limits: { readonly judgedBodyBytesMax: number },
): Promise<AccessRequest | McpRefused> {
  if (inbound.query !== '') return malformed('a call to an agent has no query')
  if (path === cardPath) return aboutCard(upstream, principal, inbound)
  if (path !== '/') return refused('access.unknown-target', undefined, { detail: `Use /a2a/${upstream.name} or /a2a/${upstream.name}${cardPath}.` })
  if (inbound.method !== 'POST') return refused('access.method-not-allowed', undefined, { detail: 'Use POST.' })
  const types = inbound.headers.filter(([name]) => name === 'content-type')
  const type = types.length === 1 ? parseMediaType(types[0]?.[1] ?? '') : undefined
  if (!type || !isJson(type)) return refused('access.unsupported-media', undefined, { detail: 'The body is JSON, and its content-type says so.' })
  const judged = await readJudgedJson(inbound, type, limits.judgedBodyBytesMax)
  if (judged.kind === 'refused') return judged
  if (judged.kind === 'none') return malformed('the body is empty')
  const message = readJsonRpc(judged.value)
  if (message.kind === 'refused') return malformed(message.reason)
  if (message.kind !== 'request') return malformed('an agent sends requests alone')
  const asked = aboutMessage(upstream, principal, inbound, message, judged.bytes)
  return 'flaw' in asked ? { ...asked.refusal, rpc: { ...asked.flaw, id: message.id } } : asked
}

type Flawed = { readonly flaw: { readonly code: number }; readonly refusal: Refused }

function aboutMessage(upstream: A2aUpstreamAccess, principal: Principal, inbound: Inbound, message: JsonRpcRequest, bytes: Uint8Array): AccessRequest | Flawed {
  const versions = inbound.headers.filter(([name]) => name === 'a2a-version')
  if (versions.length !== 1 || versions[0]?.[1] !== version)
    return flawed(a2aFlaws.versionNotSupported, refused('access.unsupported-version', undefined, { detail: `Send A2A-Version: ${version}.` }))
  const row = methodRow(message.method)
  if (!row) return isWebhookMethod(message.method) ? noWebhooks : flawed(a2aFlaws.methodNotFound, refused('access.unknown-method'))
  const read = readParams(row, paramsOf(message))
  if (read.kind === 'malformed') return read.isWebhook ? noWebhooks : flawed(a2aFlaws.invalidParams, malformed(read.reason))
  // A ticket is shown in its header, over the connection that it is bound to, and told to nobody.
  if (Buffer.from(bytes).includes(ticketMark)) return flawed(a2aFlaws.invalidParams, malformed('a ticket does not belong into a message'))
  const headers = passedHeaders(inbound.headers, [['content-type', 'application/json']])
  if (!headers) return flawed(a2aFlaws.invalidParams, malformed('a header field is not well-formed'))
  const passesOn = upstream.isPassedOn && principal.session ? scopesPassedOn(principal.session.scopes, upstream.scopes) : undefined
  const objection = passesOn && objectionToDelegation(principal, upstream.peer)
  if (objection !== undefined) return flawed(a2aFlaws.unsupportedOperation, refused('access.delegation-refused', objection, { detail: sentence(objection) }))
  return requestOf(upstream, principal, inbound, {
    action: message.method,
    resource: read.task ?? upstream.peer.id,
    args: { ...read.args, ...extensionsOf(inbound.headers) },
    standing: 'call',
    asked: { kind: 'message', message, bytes, isSubscription: row.isSubscription === true },
    target: upstream.endpoint,
    headers,
    passesOn,
  })
}

/** Bookkeeping: whoever could call the agent may ask who it is. */
function aboutCard(upstream: A2aUpstreamAccess, principal: Principal, inbound: Inbound): AccessRequest | Refused {
  if (inbound.method !== 'GET') return refused('access.method-not-allowed', undefined, { detail: 'Use GET.' })
  if (inbound.body && inbound.body.length !== 0) return malformed('a GET request has no body')
  const origin = originOf(inbound.headers)
  const headers = passedHeaders(inbound.headers, [])
  if (origin === undefined || !headers) return malformed('a header field is not well-formed')
  return requestOf(upstream, principal, inbound, {
    action: cardAction,
    resource: upstream.peer.id,
    args: undefined,
    standing: 'protocol',
    asked: { kind: 'card', url: `${origin}/a2a/${upstream.name}` },
    target: cardPath,
    headers,
    passesOn: undefined,
  })
}

function requestOf(
  { name, peer }: A2aUpstreamAccess,
  principal: Principal,
  inbound: Inbound,
  {
    action,
    resource,
    args,
    standing,
    ...sent
  }: Pick<AccessRequest, 'action' | 'resource' | 'args' | 'standing'> & Pick<A2aCall, 'asked' | 'target' | 'headers' | 'passesOn'>,
): AccessRequest {
  const { id, method, connection, signal } = inbound
  return {
    id,
    principal,
    upstream: name,
    action,
    resource,
    args,
    context: { protocol: 'a2a', method, remoteAddress: connection.remoteAddress },
    standing,
    call: { kind: 'a2a', upstream: name, requestId: id, peer, signal, ...sent },
  }
}

const passing: ReadonlySet<string> = new Set(['accept', 'user-agent', 'traceparent', 'tracestate', 'a2a-version', 'a2a-extensions'])

function passedHeaders(headers: HeaderLines, own: HeaderLines): HeaderLines | undefined {
  const forwardable = forwardableHeaders(headers, { credentialHeader: undefined, passedHeaders: passing }, own.length > 0)
  return forwardable.kind === 'malformed' ? undefined : [...forwardable.headers.filter(([name]) => passing.has(name)), ...own, ['accept-encoding', 'identity']]
}

/** Extensions of the protocol that the caller asks for: they can give what is said another meaning. */
function extensionsOf(headers: HeaderLines): JsonObject {
  const named = headers.filter(([name]) => name === 'a2a-extensions').flatMap(([, value]) => value.split(','))
  const extensions = named.map((extension) => extension.trim()).filter((extension) => extension !== '')
  return extensions.length > 0 ? { extensions } : {}
}

/** Where the caller has reached the gateway, by its own word, which goes back to it alone. */
function originOf(headers: HeaderLines): string | undefined {
  const reachedAt = headerValue(headers, reachedAtHeader)
  if (reachedAt !== undefined) return /^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost):[0-9]{1,5}$/.test(reachedAt) ? reachedAt : undefined
  const host = headerValue(headers, 'host') ?? ''
  return /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/.test(host) ? `https://${host}` : undefined
}

const noWebhooks = flawed(
  a2aFlaws.pushNotificationNotSupported,
  refused('access.unknown-method', 'a webhook', { detail: 'Webhooks are not passed on: stream, subscribe or ask for the task.' }),
)

function flawed(flaw: Flawed['flaw'], refusal: Refused): Flawed {
  return { flaw, refusal }
}

function malformed(reason: string): Refused {
  return refused('access.malformed', reason, { detail: sentence(reason) })
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
