import { unreachable } from '@sallyport/contract'
import type { McpCall } from '../../access/access-request.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import type { Principal } from '../../identity/identify.ts'
import { httpConversation } from './http-conversation.ts'
import type { McpPorts } from './mcp-ports.ts'
import { stdioConversation } from './stdio-conversation.ts'
import type { Conversation } from './upstream-reply.ts'

/** The agent's own conversation with the upstream, at `/mcp/<upstream>`. */
export function directConversation(ports: McpPorts, principal: Principal, call: McpCall, upstream: McpUpstreamAccess): Conversation {
  const session = call.session?.upstreamSession
  switch (upstream.transport) {
    case 'http': {
      const { era, protocolVersion } = call
      return httpConversation(ports.exchanges, { upstream, principal, era, session, protocolVersion })
    }
    case 'stdio':
      return stdioConversation(ports.stdio, upstream, principal, session, ports.newId)
    default:
      return unreachable(upstream.transport)
  }
}
