import type { JsonRpcId, McpCall } from '../../access/access-request.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { Principal } from '../../identity/identify.ts'
import { reachOf } from '../../policy/reach.ts'
import type { ResultWatch, Screening } from '../../policy/results.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { McpPorts } from './mcp-ports.ts'
import { offeredTools } from './offered-tools.ts'
import type { RelayTerms } from './screen.ts'
import type { Conversation } from './upstream-reply.ts'
import type { View } from './visible-result.ts'

/** A call of an agent, with what its answers are looked through for. */
export interface WatchedCall extends McpCall {
  readonly results: ResultWatch
}

/** How the reply to a call may reach the agent that made it. */
export function relayTerms(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  call: McpCall,
  conversation: Conversation,
  upstreamId: JsonRpcId | undefined,
  screening: Screening | undefined,
): RelayTerms {
  const owner = { tenant: principal.tenant, upstream: conversation.upstream.name }
  const request = call.message?.kind === 'request' ? call.message : undefined
  return {
    principal,
    conversation,
    view: viewOf(policy, principal, conversation.upstream, call),
    offer: offeredTools(ports.tools, principal.tenant, conversation.upstream),
    toolsChanged: () => ports.tools.announce(owner),
    callerEra: call.era,
    endpoint: call.endpoint,
    sessionKey: ports.sessionKey,
    request,
    upstreamId,
    requestId: call.requestId,
    requestBytes: call.message ? Buffer.byteLength(JSON.stringify(call.message.value)) : 0,
    signal: call.signal,
    screening,
  }
}

function viewOf(policy: PolicySnapshot, principal: Principal, { name }: McpUpstreamAccess, { endpoint }: Pick<McpCall, 'endpoint'>): View {
  let reach: ((action: string) => boolean) | undefined // only lists ask, and then for every item
  const isReachable = (action: string): boolean => (reach ??= reachOf(policy, principal, name))(action)
  return { upstream: name, isReachable, isNamespaced: endpoint === 'aggregate' }
}
