import { Fault, type Json, type JsonObject } from '@sallyport/contract'
import type { JsonRpcRequest, McpCall } from '../../access/access-request.ts'
import { isJsonArray, isJsonObject, paramsOf } from '../../access/mcp/json-rpc.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import { eraOf, legacyRevision, metaKeys, supportedRevisions } from '../../access/mcp/revision.ts'
import { sealSession } from '../../access/mcp/sealed-session.ts'
import type { HeaderLines } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { isReachable } from '../../policy/reach.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded } from '../forwarded.ts'
import { learnTools } from './learn-tools.ts'
import { sendLinked } from './linked-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { look, sourceOf } from './offered-tools.ts'
import { answerWith, readResponse } from './relay-reply.ts'
import { relayTerms, type WatchedCall } from './relay-terms.ts'
import { completeResult } from './revision-bridge.ts'
import { relayToolChanges } from './tool-changes.ts'

/** Which member of a list's result holds the items. */
const listMembers: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
}

/** Pages taken from one upstream for one list. */
const pagesMax = 16

/** Resources of many upstreams are not watched together, and many upstreams have no one level of logging. */
const capabilities: JsonObject = { tools: { listChanged: true }, prompts: {}, resources: {}, completions: {} }

/** What the gateway itself answers at `/mcp`: the handshake, and lists over every upstream that the agent could reach. */
export async function serveAggregate(ports: McpPorts, policy: PolicySnapshot, principal: Principal, call: WatchedCall): Promise<Forwarded> {
  const { message } = call
  if (!message) return relayToolChanges(ports, policy, principal, call)
  switch (message.kind) {
    case 'response':
      return bare(202)
    case 'notification': {
      const { requestId } = paramsOf(message)
      const isCancellation = message.method === 'notifications/cancelled' && (typeof requestId === 'string' || typeof requestId === 'number')
      if (isCancellation) await ports.calls.cancel(principal, call.session?.upstreamSession ?? '', requestId)
      return bare(202)
    }
    case 'request':
      return answerRequest(ports, policy, principal, call, message)
  }
}

async function answerRequest(ports: McpPorts, policy: PolicySnapshot, principal: Principal, call: WatchedCall, request: JsonRpcRequest): Promise<Forwarded> {
  const member = Object.hasOwn(listMembers, request.method) ? listMembers[request.method] : undefined
  if (member !== undefined) return succeed(call, request, { [member]: await collect(ports, policy, principal, call, request, member) })
  switch (request.method) {
    case 'initialize': {
      const sealed = sealSession(ports.sessionKey, { agent: principal.id, upstream: undefined }, ports.newId())
      return succeed(call, request, { protocolVersion: agreedRevision(request), capabilities, serverInfo: { ...ports.self } }, [['mcp-session-id', sealed]])
    }
    case 'server/discover':
      return succeed(call, request, { supportedVersions: [...supportedRevisions], capabilities, _meta: { [metaKeys.serverInfo]: { ...ports.self } } })
    case 'subscriptions/listen':
      return relayToolChanges(ports, policy, principal, call, request)
    case 'ping':
      return succeed(call, request, {})
    default:
      return answerWith(
        { jsonrpc: '2.0', id: request.id, error: { code: methodNotFound, message: 'Method not found' } },
        call.era === 'modern' ? 404 : 200,
        [],
        { error: true },
      )
  }
}

const methodNotFound = -32601

function succeed({ era }: McpCall, { id, method }: JsonRpcRequest, result: JsonObject, headers: HeaderLines = []): Forwarded {
  return answerWith({ jsonrpc: '2.0', id, result: era === 'modern' ? completeResult(method, result) : result }, 200, headers, {})
}

function agreedRevision(request: JsonRpcRequest): string {
  const { protocolVersion } = paramsOf(request)
  return typeof protocolVersion === 'string' && eraOf(protocolVersion) === 'legacy' ? protocolVersion : legacyRevision
}

/** One upstream that fails or hangs must not hide the others: its items are missing from this answer, and it is asked again next time. */
async function collect(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: WatchedCall,
  request: JsonRpcRequest,
  member: string,
): Promise<readonly Json[]> {
  const targets = call.targets.filter(({ name }) => isReachable(policy, principal, name))
  const deadline = AbortSignal.timeout(ports.listDeadlineMs)
  const signal = AbortSignal.any([call.signal, deadline])
  const parts = await Promise.all(
    targets.map((target) => orNothing(signal, itemsOf(ports, policy, principal, { ...call, signal }, target, request.method, member))),
  )
  return parts.flat()
}

async function orNothing(signal: AbortSignal, items: Promise<readonly Json[]>): Promise<readonly Json[]> {
  const given = items.catch((error: unknown) => {
    if (!(error instanceof Fault) && !signal.aborted) throw error
    return []
  })
  const { promise: late, resolve } = Promise.withResolvers<readonly Json[]>()
  const giveUp = (): void => resolve([])
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([given, late])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Tools are known before they are shown. */
async function itemsOf(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: WatchedCall,
  upstream: McpUpstreamAccess,
  method: string,
  member: string,
): Promise<readonly Json[]> {
  const isPinned = method === 'tools/list' && upstream.tools !== 'unpinned'
  const mustLearn = isPinned && !(await look(ports.tools, sourceOf(principal.tenant, upstream))).isFresh
  if (mustLearn && (await learnTools(ports, policy, principal, upstream, call))) return []
  return listOf(ports, policy, principal, call, upstream, method, member)
}

async function listOf(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: WatchedCall,
  upstream: McpUpstreamAccess,
  method: string,
  member: string,
): Promise<readonly Json[]> {
  const items: Json[] = []
  let cursor: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    const id = ports.newId()
    const params: JsonObject = cursor === undefined ? {} : { cursor }
    const message: JsonRpcRequest = { kind: 'request', id, method, value: { jsonrpc: '2.0', id, method, params } }
    const sent = await sendLinked(ports, principal, upstream, message, { era: 'legacy', headers: [], session: call.session }, call.signal)
    if (sent.kind === 'refused') return items
    const terms = relayTerms(ports, policy, principal, { ...call, era: 'legacy', message }, sent.conversation, id, call.results.at(upstream.name))
    const { result } = (await readResponse(sent.reply, terms)).value
    if (!isJsonObject(result)) return items
    const { [member]: listed, nextCursor } = result
    if (isJsonArray(listed)) items.push(...listed)
    if (typeof nextCursor !== 'string') return items
    cursor = nextCursor
  }
  return items
}

function bare(status: number): Forwarded {
  const answer = { status, headers: [], body: new Uint8Array(0) }
  return { kind: 'answer', answer, finished: Promise.resolve({ result: 'answered', status }) }
}
