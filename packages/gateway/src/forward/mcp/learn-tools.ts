import { Fault, refused, type JsonObject, type Refused } from '@sallyport/contract'
import type { JsonRpcRequest, McpCall } from '../../access/access-request.ts'
import { isJsonArray, isJsonObject } from '../../access/mcp/json-rpc.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { ToolDefinition } from '../../access/mcp/tool-definition.ts'
import type { Principal } from '../../identity/identify.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import { toolsPerUpstreamMax } from '../../policy/tool-pins.ts'
import { refusalOf } from '../exchange.ts'
import type { Forwarded } from '../forwarded.ts'
import { directConversation } from './direct-conversation.ts'
import { sendLinked } from './linked-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { look, readTools, see, sourceOf, tooMany } from './offered-tools.ts'
import { readResponse, refuseForwarding } from './relay-reply.ts'
import { relayTerms } from './relay-terms.ts'
import { bridgeMessage } from './revision-bridge.ts'
import type { Conversation, UpstreamReply } from './upstream-reply.ts'

/** Pages of one list: an upstream that turns pages without end must not be first seen without end. */
const pagesMax = 64
/** All definitions of one list together, in UTF-16 units. */
const listingLengthMax = 8 * 1024 * 1024

/** The gateway's own listing, as the answer to a permitted call. */
export async function forwardListing(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
): Promise<Forwarded> {
  const refusal = await learnTools(ports, policy, principal, upstream, call)
  if (refusal) return refuseForwarding(refusal)
  return { kind: 'answer', answer: { status: 200, headers: [], body: new Uint8Array(0) }, finished: Promise.resolve({ result: 'answered', status: 200 }) }
}

/**
 * Lists all the tools of an upstream in the agent's conversation with it and takes in what they are. Callers at the same time share one listing.
 *
 * Refuses `forward.*`, `audit.unavailable`, and `access.session-invalid` when the upstream does not know the agent's session; nothing was taken in then.
 */
export async function learnTools(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
): Promise<Refused | undefined> {
  const key = `${principal.tenant}/${upstream.name}/${upstream.revision}`
  const running = ports.listings.get(key)
  if (running) return running
  const listing = listUntilFresh(ports, policy, principal, upstream, call).finally(() => ports.listings.delete(key))
  ports.listings.set(key, listing)
  return listing
}

/** Times that a listing is begun anew because the tools changed meanwhile, as servers say that add tools while they start. */
const listingsMax = 4

async function listUntilFresh(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
): Promise<Refused | undefined> {
  for (let listing = 0; listing < listingsMax; listing += 1) {
    const refusal = await listAll(ports, policy, principal, upstream, call)
    if (refusal) return refusal
    if ((await look(ports.tools, sourceOf(principal.tenant, upstream))).isFresh) return undefined
  }
  return refused('forward.upstream-failed', 'the upstream changes its tools whenever they are listed')
}

async function listAll(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
): Promise<Refused | undefined> {
  const source = sourceOf(principal.tenant, upstream)
  const { changes } = await look(ports.tools, source)
  const signal = AbortSignal.timeout(ports.listDeadlineMs) // not the caller's: others may wait for the same listing
  const definitions: ToolDefinition[] = []
  let length = 0
  let cursor: string | undefined
  try {
    for (let page = 0; page < pagesMax; page += 1) {
      const result = await askPage(ports, policy, principal, upstream, { ...call, signal }, cursor)
      if ('problem' in result) return result
      const { tools, nextCursor } = result.page
      const known = readTools(isJsonArray(tools) ? tools : []).map(({ definition }) => definition)
      definitions.push(...known)
      length += known.reduce((sum, { text }) => sum + text.length, 0)
      if (definitions.length > toolsPerUpstreamMax || length > listingLengthMax) throw tooMany()
      if (typeof nextCursor !== 'string') {
        await see(ports.tools, source, { definitions, whole: { first: upstream.tools === 'approved' ? 'held' : 'pinned', changes } })
        return undefined
      }
      cursor = nextCursor
    }
    throw tooMany()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refusalOf(error) ?? refused('forward.upstream-failed', error.message)
  }
}

async function askPage(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
  cursor: string | undefined,
): Promise<{ readonly page: JsonObject } | Refused> {
  const id = ports.newId()
  const method = 'tools/list'
  const message: JsonRpcRequest = {
    kind: 'request',
    id,
    method,
    value: { jsonrpc: '2.0', id, method, params: cursor === undefined ? {} : { cursor } },
  }
  const sent = await ask(ports, principal, upstream, call, message)
  if (sent.kind === 'refused') return sent
  if (sent.reply.status === 404 && sent.conversation.session !== undefined) return refused('access.session-invalid', 'the upstream does not know the session')
  const terms = relayTerms(ports, policy, principal, { ...call, message }, sent.conversation, id, undefined)
  const everything = { upstream: upstream.name, isReachable: () => true, isNamespaced: false }
  const { result } = (await readResponse(sent.reply, { ...terms, view: everything, offer: async (items) => items })).value
  return isJsonObject(result) ? { page: result } : refused('forward.upstream-failed', 'the upstream does not list its tools')
}

async function ask(
  ports: McpPorts,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
  message: JsonRpcRequest,
): Promise<{ readonly kind: 'sent'; readonly conversation: Conversation; readonly reply: UpstreamReply } | Refused> {
  if (call.endpoint === 'aggregate') return sendLinked(ports, principal, upstream, message, { era: 'legacy', headers: [], session: call.session }, call.signal)
  const conversation = directConversation(ports, principal, call, upstream)
  const reply = await conversation.send({
    verb: 'POST',
    message: bridgeMessage(message, 'legacy', conversation.era, ports.self),
    headers: [],
    signal: call.signal,
  })
  return reply.kind === 'refused' ? reply : { kind: 'sent', conversation, reply }
}
