import { setTimeout as wait } from 'node:timers/promises'
import { Fault } from '@sallyport/contract'
import type { JsonRpcMessage, McpCall } from '../../access/access-request.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { Principal } from '../../identity/identify.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import { linked } from './linked-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { relayTerms } from './relay-terms.ts'
import { bridgeMessage } from './revision-bridge.ts'
import { Screen } from './screen.ts'

const pauseMsFirst = 1_000
const pauseMsMax = 300_000

/**
 * Hears what an HTTP upstream says unasked in the gateway's own session with it, until aborted; that its tools have changed is announced by the way. An upstream
 * that offers no stream is left alone, one that breaks off is asked again, at ever longer intervals. Children need none of this: all that they say is heard.
 */
export async function hearUpstream(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
  signal: AbortSignal,
): Promise<void> {
  if (upstream.transport === 'stdio') return
  for (let pauseMs = pauseMsFirst; !signal.aborted; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    try {
      if ((await hearOnce(ports, policy, principal, upstream, call, signal)) === 'silent') return
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
    await wait(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

async function hearOnce(
  ports: McpPorts,
  policy: PolicySnapshot,
  principal: Principal,
  upstream: McpUpstreamAccess,
  call: McpCall,
  signal: AbortSignal,
): Promise<'silent' | 'ended'> {
  const conversation = await linked(ports, principal, upstream, undefined)
  if ('kind' in conversation) return 'ended'
  const isModern = conversation.era === 'modern'
  const message = isModern ? bridgeMessage(subscription(ports.newId()), 'legacy', 'modern', ports.self) : undefined
  const reply = await conversation.send({ verb: isModern ? 'POST' : 'GET', message, headers: [], signal })
  if (reply.kind === 'refused') return 'ended'
  if (reply.status === 404) ports.links.drop(principal, upstream)
  if (reply.form !== 'stream') return reply.status === 404 && conversation.session !== undefined ? 'ended' : 'silent'
  const screen = new Screen(relayTerms(ports, policy, principal, { ...call, message: undefined }, conversation, undefined, undefined))
  for await (const { message: heard } of reply.events) if (heard && heard.kind !== 'response') await screen.pass(heard)
  return 'ended'
}

function subscription(id: string): JsonRpcMessage {
  const method = 'subscriptions/listen'
  return { kind: 'request', id, method, value: { jsonrpc: '2.0', id, method, params: { notifications: { toolsListChanged: true } } } }
}
