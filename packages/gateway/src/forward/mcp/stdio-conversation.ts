import { Fault, refused, type JsonObject, type Refused } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcRequest } from '../../access/access-request.ts'
import { isJsonObject, paramsOf, without } from '../../access/mcp/json-rpc.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import { eraOf, legacyRevision, metaKeys, metaOf, modernRevision } from '../../access/mcp/revision.ts'
import type { Principal } from '../../identity/identify.ts'
import { refusalOf } from '../exchange.ts'
import type { ChildOwner, StdioServers } from './stdio-servers.ts'
import type { Conversation, Sending, UpstreamEvent, UpstreamReply } from './upstream-reply.ts'

/**
 * Speaks with an agent's child as if it were a server with sessions.
 *
 * The child was initialized once, by the gateway; an agent's handshake is answered from that. Callers of 2026-07-28 are served too: discovery comes from the
 * same answer, and a subscription listens to what the child says of itself.
 */
export function stdioConversation(
  servers: StdioServers,
  upstream: McpUpstreamAccess,
  { tenant, agent }: Principal,
  session: string | undefined,
  newId: () => string,
): Conversation {
  const owner = { tenant, agent, upstream: upstream.name }
  return {
    upstream,
    era: 'legacy',
    session,
    send: (sending) => send(servers, owner, session ?? '', sending, newId),
  }
}

async function send(
  servers: StdioServers,
  owner: ChildOwner,
  session: string,
  { verb, message, signal }: Sending,
  newId: () => string,
): Promise<UpstreamReply | Refused> {
  if (verb === 'GET') return listen(servers, owner, signal, [], everything)
  if (!message) return { ...empty, status: 200 } // the session ends; the child stays for the agent's other sessions until it is idle
  switch (message.kind) {
    case 'response':
      await servers.respond(owner, message)
      return empty
    case 'notification':
      if (message.method !== 'notifications/initialized') await servers.notify(owner, session, message)
      return empty
    case 'request':
      return sendRequest(servers, owner, session, message, signal, newId)
  }
}

async function sendRequest(
  servers: StdioServers,
  owner: ChildOwner,
  session: string,
  request: JsonRpcRequest,
  signal: AbortSignal,
  newId: () => string,
): Promise<UpstreamReply | Refused> {
  if (request.method === 'subscriptions/listen') return subscribe(servers, owner, request, signal)
  if (request.method === 'initialize' || request.method === 'server/discover') {
    const opened = await servers.open(owner)
    if (opened.kind === 'refused') return opened
    const isHandshake = request.method === 'initialize'
    const result = isHandshake ? handshake(request, opened.initialized) : discovery(opened.initialized)
    return { ...single({ kind: 'response', id: request.id, value: { jsonrpc: '2.0', id: request.id, result } }), session: isHandshake ? newId() : undefined }
  }
  const sent = await servers.request(owner, session, request, signal)
  if (sent.kind === 'refused') return sent
  return firstDecides(sent.messages)
}

/** A response that comes first is a plain answer; anything before it makes the answer a stream, so that progress is seen while it happens. */
async function firstDecides(messages: AsyncIterable<JsonRpcMessage>): Promise<UpstreamReply | Refused> {
  const iterator = messages[Symbol.asyncIterator]()
  try {
    const first = await iterator.next()
    if (first.done) return refused('forward.upstream-failed', 'no response')
    if (first.value.kind === 'response') {
      await iterator.return?.()
      return single(first.value)
    }
    return { kind: 'reply', form: 'stream', status: 200, session: undefined, events: resume(first.value, iterator) }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refusalOf(error) ?? refused('forward.upstream-failed', error.message)
  }
}

async function* resume(first: JsonRpcMessage, rest: AsyncIterator<JsonRpcMessage>): AsyncGenerator<UpstreamEvent> {
  try {
    yield { message: first }
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield { message: next.value }
  } finally {
    await rest.return?.()
  }
}

function handshake(request: JsonRpcRequest, initialized: JsonObject): JsonObject {
  const { protocolVersion } = paramsOf(request)
  const isKnown = typeof protocolVersion === 'string' && eraOf(protocolVersion) === 'legacy'
  return { ...initialized, protocolVersion: isKnown ? protocolVersion : legacyRevision }
}

function discovery({ capabilities, serverInfo, instructions, _meta }: JsonObject): JsonObject {
  return {
    supportedVersions: [modernRevision, legacyRevision],
    capabilities: isJsonObject(capabilities) ? without(capabilities, 'tasks', 'logging') : {},
    ...(typeof instructions === 'string' && { instructions }),
    _meta: { ...metaOf({ _meta: _meta ?? null }), ...(serverInfo !== undefined && { [metaKeys.serverInfo]: serverInfo }) },
  }
}

/** The changes that a subscription can be told of, and the notification behind each. */
const changes: Readonly<Record<string, string>> = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
}

/** Single resources are not watched here: the child's subscription would belong to all the agent's callers at once. */
function subscribe(servers: StdioServers, owner: ChildOwner, request: JsonRpcRequest, signal: AbortSignal): Promise<UpstreamReply | Refused> {
  const { notifications: filter } = paramsOf(request)
  const honored = Object.keys(changes).filter((change) => isJsonObject(filter) && filter[change] === true)
  const subscription = { [metaKeys.subscriptionId]: request.id }
  const acknowledged = notification('notifications/subscriptions/acknowledged', {
    notifications: Object.fromEntries(honored.map((change) => [change, true])),
    _meta: subscription,
  })
  const wanted = new Set(honored.map((change) => changes[change]))
  return listen(servers, owner, signal, [acknowledged], (message) => {
    if (message.kind !== 'notification' || !wanted.has(message.method)) return undefined
    const params = paramsOf(message)
    return notification(message.method, { ...params, _meta: { ...metaOf(params), ...subscription } })
  })
}

async function listen(
  servers: StdioServers,
  owner: ChildOwner,
  signal: AbortSignal,
  before: readonly JsonRpcMessage[],
  choose: (message: JsonRpcMessage) => JsonRpcMessage | undefined,
): Promise<UpstreamReply | Refused> {
  const heard = await servers.listen(owner, signal)
  if (heard.kind === 'refused') return heard
  return { kind: 'reply', form: 'stream', status: 200, session: undefined, events: chosen(before, heard.messages, choose) }
}

async function* chosen(
  before: readonly JsonRpcMessage[],
  messages: AsyncIterable<JsonRpcMessage>,
  choose: (message: JsonRpcMessage) => JsonRpcMessage | undefined,
): AsyncGenerator<UpstreamEvent> {
  yield { message: undefined } // so that the headers leave at once
  for (const message of before) yield { message }
  for await (const heard of messages) {
    const message = choose(heard)
    if (message) yield { message }
  }
}

function everything(message: JsonRpcMessage): JsonRpcMessage {
  return message
}

function notification(method: string, params: JsonObject): JsonRpcMessage {
  return { kind: 'notification', method, value: { jsonrpc: '2.0', method, params } }
}

const empty: UpstreamReply = { kind: 'reply', form: 'none', status: 202, session: undefined, events: (async function* (): AsyncGenerator<UpstreamEvent> {})() }

function single(message: JsonRpcMessage): UpstreamReply {
  const events = (async function* (): AsyncGenerator<UpstreamEvent> {
    yield { message }
  })()
  return { kind: 'reply', form: 'json', status: 200, session: undefined, events }
}
