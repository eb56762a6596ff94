import type { Refused } from '@sallyport/contract'
import type { JsonRpcMessage, McpCall } from '../../access/access-request.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { Principal } from '../../identity/identify.ts'
import { narrowCapabilities } from './client-capabilities.ts'
import { httpConversation } from './http-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { bridgeMessage } from './revision-bridge.ts'
import { stdioConversation } from './stdio-conversation.ts'
import type { Conversation, UpstreamReply } from './upstream-reply.ts'

/** Sends in the gateway's own conversation with the upstream. */
export async function sendLinked(
  ports: McpPorts,
  principal: Principal,
  upstream: McpUpstreamAccess,
  message: JsonRpcMessage,
  { era, headers, session }: Pick<McpCall, 'era' | 'headers' | 'session'>,
  signal: AbortSignal,
): Promise<{ readonly kind: 'sent'; readonly conversation: Conversation; readonly reply: UpstreamReply } | Refused> {
  const narrowed = narrowCapabilities(message, nothing)
  for (let attempt = 1; ; attempt += 1) {
    const conversation = await linked(ports, principal, upstream, session?.upstreamSession)
    if ('kind' in conversation) return conversation
    const bridged = bridgeMessage(narrowed, era, conversation.era, ports.self)
    const reply = await conversation.send({ verb: 'POST', message: bridged, headers: conversation.era === era ? headers : [], signal })
    if (reply.kind === 'refused') return reply
    if (reply.status !== 404 || conversation.session === undefined || attempt > 1) return { kind: 'sent', conversation, reply }
    ports.tools.mayHaveChanged({ tenant: principal.tenant, upstream: upstream.name }) // it was started anew
    ports.links.drop(principal, upstream) // a session that is unknown there means that nothing was done
  }
}

export async function linked(ports: McpPorts, principal: Principal, upstream: McpUpstreamAccess, session: string | undefined): Promise<Conversation | Refused> {
  if (upstream.transport === 'stdio') return stdioConversation(ports.stdio, upstream, principal, session, ports.newId)
  const link = await ports.links.get(principal, upstream)
  return link.kind === 'refused' ? link : httpConversation(ports.exchanges, { upstream, principal, ...link })
}

const nothing: ReadonlySet<string> = new Set()
