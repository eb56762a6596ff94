import { Fault } from '@sallyport/contract'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { Principal } from '../../identity/identify.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded } from '../forwarded.ts'
import { serveAggregate } from './aggregate.ts'
import { narrowCapabilities } from './client-capabilities.ts'
import { directConversation } from './direct-conversation.ts'
import { linked, sendLinked } from './linked-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { refuseForwarding, relayReply } from './relay-reply.ts'
import { relayTerms, type WatchedCall } from './relay-terms.ts'
import { bridgeMessage } from './revision-bridge.ts'

export { mcpPorts, type McpPorts } from './mcp-ports.ts'

/**
 * Sends a permitted MCP call and streams back what the agent may see of the answer.
 *
 * What leaves is the judged message: only the envelope of the protocol's revision, the declared capabilities and, at the aggregated endpoint, the id are the
 * gateway's. Nothing is sent twice, but for one case: at the aggregated endpoint, when the upstream says that it does not know the session.
 */
export async function forwardMcp(ports: McpPorts, policy: PolicySnapshot, principal: Principal, call: WatchedCall): Promise<Forwarded> {
  if (call.upstream === undefined) return serveAggregate(ports, policy, principal, call)
  const [upstream] = call.targets
  if (!upstream) throw new TypeError('a call to an upstream has a target')
  return call.endpoint === 'direct' ? forwardDirect(ports, policy, principal, call, upstream) : forwardAggregated(ports, policy, principal, call, upstream)
}

async function forwardDirect(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: WatchedCall,
  upstream: McpUpstreamAccess,
): Promise<Forwarded> {
  const conversation = directConversation(ports, principal, call, upstream)
  const message = call.message && bridgeMessage(narrowCapabilities(call.message, upstream.serverRequests), call.era, conversation.era, ports.self)
  const reply = await conversation.send({ verb: call.verb, message, headers: call.headers, signal: call.signal })
  if (reply.kind === 'refused') return refuseForwarding(reply)
  if (reply.status === 404) ports.tools.mayHaveChanged({ tenant: principal.tenant, upstream: upstream.name }) // it was started anew
  return relayReply(reply, relayTerms(ports, policy, principal, call, conversation, message?.id, call.results.at(upstream.name)))
}

async function forwardAggregated(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: WatchedCall,
  upstream: McpUpstreamAccess,
): Promise<Forwarded> {
  const { message, session } = call
  if (message?.kind !== 'request') throw new TypeError('only requests are addressed to one upstream at the aggregated endpoint')
  const upstreamId = ports.newId()
  const renamed = { ...message, id: upstreamId, value: { ...message.value, id: upstreamId } }
  const leaving = new AbortController()
  const signal = AbortSignal.any([call.signal, leaving.signal])
  const done = ports.calls.add(principal, session?.upstreamSession ?? '', message.id, () =>
    tellCancelled(ports, principal, upstream, upstreamId).finally(() => leaving.abort()),
  )
  try {
    const sent = await sendLinked(ports, principal, upstream, renamed, call, signal)
    const forwarded =
      sent.kind === 'refused'
        ? refuseForwarding(sent)
        : await relayReply(sent.reply, relayTerms(ports, policy, principal, { ...call, signal }, sent.conversation, upstreamId, call.results.at(upstream.name)))
    void forwarded.finished.then(done)
    return forwarded
  } catch (error) {
    done()
    throw error
  }
}

const cancelDeadlineMs = 5_000

/** An HTTP upstream of the older revision goes on with a call whose connection is left, so it is told. */
async function tellCancelled(ports: McpPorts, principal: Principal, upstream: McpUpstreamAccess, requestId: string): Promise<void> {
  if (upstream.transport === 'stdio') return
  const method = 'notifications/cancelled'
  const message = { kind: 'notification', method, value: { jsonrpc: '2.0', method, params: { requestId } } } as const
  try {
    const conversation = await linked(ports, principal, upstream, undefined)
    if ('kind' in conversation || conversation.era !== 'legacy') return
    await conversation.send({ verb: 'POST', message, headers: [], signal: AbortSignal.timeout(cancelDeadlineMs) })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
  }
}
