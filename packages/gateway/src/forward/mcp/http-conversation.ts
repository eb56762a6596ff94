import { Fault, GatheredBytes, refused, type Refused } from '@sallyport/contract'
import type { JsonRpcMessage, McpEra } from '../../access/access-request.ts'
import { encodeHeaderText } from '../../access/mcp/header-agreement.ts'
import { paramsOf } from '../../access/mcp/json-rpc.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import { modernRevision } from '../../access/mcp/revision.ts'
import { headerValue, type HeaderLines } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { brokenAnswer, refusalOf, type Exchanges, type UpstreamAnswer } from '../exchange.ts'
import { readEvents } from './event-stream.ts'
import { readUpstreamMessage, type Conversation, type Sending, type UpstreamEvent, type UpstreamReply } from './upstream-reply.ts'

export interface HttpConversationTerms {
  readonly upstream: McpUpstreamAccess
  readonly principal: Pick<Principal, 'tenant' | 'agent'>
  readonly era: McpEra
  /** The upstream's own session id. */
  readonly session: string | undefined
  /** The revision that was agreed on; absent before the handshake. */
  readonly protocolVersion: string | undefined
}

/** Speaks streamable HTTP to an upstream. Every header is made here; none of the agent's passes unread. */
export function httpConversation(exchanges: Exchanges, terms: HttpConversationTerms): Conversation {
  return { upstream: terms.upstream, era: terms.era, session: terms.session, send: (sending) => send(exchanges, terms, sending) }
}

async function send(exchanges: Exchanges, terms: HttpConversationTerms, { verb, message, headers, signal }: Sending): Promise<UpstreamReply | Refused> {
  const answer = await exchanges.send({
    upstream: terms.upstream.name,
    tenant: terms.principal.tenant,
    agent: terms.principal.agent,
    method: verb,
    target: '',
    headers: [...protocolHeaders(terms, verb, message), ...headers],
    body: message && Buffer.from(JSON.stringify(message.value)),
    isStream: verb === 'GET' || (message?.kind === 'request' && message.method === 'subscriptions/listen'),
    signal,
  })
  if (answer.kind === 'refused') return answer
  if (answer.status === 400 && !isPing(message) && (await isSessionOver(exchanges, terms, signal))) {
    await discard(answer.body)
    return { kind: 'reply', form: 'none', status: 404, session: undefined, events: none() }
  }
  try {
    return await readReply(answer, terms, verb, message)
  } catch (error) {
    await discard(answer.body)
    if (!(error instanceof Fault)) throw error
    return refusalOf(error) ?? refused('forward.upstream-failed', error.message)
  }
}

/** How long the question whether a session is over may take. */
const pingDeadlineMs = 5_000

/** The protocol wants 404 for a session that is over, and servers answer 400; one that finds even a ping bad does not know the session. */
async function isSessionOver(exchanges: Exchanges, terms: HttpConversationTerms, signal: AbortSignal): Promise<boolean> {
  if (terms.session === undefined) return false
  const reply = await send(exchanges, terms, {
    verb: 'POST',
    message: ping,
    headers: [],
    signal: AbortSignal.any([signal, AbortSignal.timeout(pingDeadlineMs)]),
  })
  if (reply.kind === 'refused') return false
  await reply.events[Symbol.asyncIterator]().return?.()
  return reply.status === 400 || reply.status === 404
}

const ping: JsonRpcMessage = { kind: 'request', id: 'sallyport-ping', method: 'ping', value: { jsonrpc: '2.0', id: 'sallyport-ping', method: 'ping' } }

function isPing(message: JsonRpcMessage | undefined): boolean {
  return message?.kind === 'request' && message.method === 'ping'
}

function protocolHeaders({ era, session, protocolVersion }: HttpConversationTerms, verb: string, message: JsonRpcMessage | undefined): HeaderLines {
  const lines: [string, string][] = [['accept', verb === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream']]
  if (message) lines.push(['content-type', 'application/json'])
  if (session !== undefined) lines.push(['mcp-session-id', session])
  const version = era === 'modern' ? modernRevision : protocolVersion
  if (version !== undefined) lines.push(['mcp-protocol-version', version])
  if (era === 'modern' && message && message.kind !== 'response') {
    lines.push(['mcp-method', message.method])
    const name = namedBy(message.method, message)
    if (name !== undefined) lines.push(['mcp-name', encodeHeaderText(name)])
  }
  return lines
}

function namedBy(method: string, message: JsonRpcMessage): string | undefined {
  const { name, uri, taskId } = paramsOf(message)
  const value = method.startsWith('tasks/')
    ? taskId
    : method === 'resources/read'
      ? uri
      : method === 'tools/call' || method === 'prompts/get'
        ? name
        : undefined
  return typeof value === 'string' ? value : undefined
}

/** A session id of the protocol: visible ASCII. Longer ones would not fit a header once sealed. */
const sessionId = /^[\x21-\x7e]{1,1024}$/

async function readReply(
  answer: UpstreamAnswer,
  { upstream, session }: HttpConversationTerms,
  verb: string,
  message: JsonRpcMessage | undefined,
): Promise<UpstreamReply> {
  const media = headerValue(answer.headers, 'content-type')?.split(';')[0]?.trim().toLowerCase()
  const opened = headerValue(answer.headers, 'mcp-session-id')
  if (opened !== undefined && !sessionId.test(opened)) throw new Fault('the session id of the upstream is malformed', 'unknown')
  const isOk = answer.status >= 200 && answer.status < 300
  const reply = { kind: 'reply', status: answer.status, session: opened } as const
  if (isOk && media === 'text/event-stream' && verb !== 'DELETE') return { ...reply, form: 'stream', events: messagesOf(answer.body, upstream.messageBytesMax) }

  const isExpectedBare = isOk || answer.status === 405 || (answer.status === 404 && session !== undefined)
  if (
    message?.kind === 'request' &&
    media === 'application/json' &&
    (isOk || (answer.status >= 400 && answer.status <= 404 && answer.status !== 401 && answer.status !== 403))
  ) {
    const single = readUpstreamMessage(await collect(answer.body, upstream.messageBytesMax), upstream.messageBytesMax)
    return { ...reply, form: 'json', events: once(single) }
  }
  await discard(answer.body)
  if (!isExpectedBare || (isOk && (message?.kind === 'request' || verb === 'GET'))) {
    throw new Fault(`the upstream answered ${verb} with status ${answer.status} and ${media ?? 'no media type'}`, 'unknown')
  }
  return { ...reply, form: 'none', events: none() }
}

async function* messagesOf(bytes: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<UpstreamEvent> {
  for await (const { data, ...more } of readEvents(bytes, bytesMax)) {
    yield { message: data === undefined ? undefined : readUpstreamMessage(data, bytesMax), ...more }
  }
}

async function collect(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const gathered = new GatheredBytes()
  for await (const piece of body) {
    if (gathered.length + piece.length > bytesMax)
      throw brokenAnswer(refused('forward.answer-too-large', 'the answer of the upstream is larger than its limit'))
    gathered.add(piece)
  }
  return gathered.take()
}

/** What an upstream says in an answer that carries no message concerns nobody. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.()
}

async function* once(message: JsonRpcMessage): AsyncGenerator<UpstreamEvent> {
  yield { message }
}

async function* none(): AsyncGenerator<UpstreamEvent> {}
