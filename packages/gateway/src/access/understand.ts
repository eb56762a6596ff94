import { oauthMethod, ownPaths, parseUpstreamName, refused, unreachable } from '@sallyport/contract'
import type { Inbound } from '../edge/inbound.ts'
import type { Principal } from '../identity/identify.ts'
import type { TicketVerifier } from '../identity/verify-ticket.ts'
import type { AccessRequest } from './access-request.ts'
import type { AccessSnapshot } from './access-snapshot.ts'
import { understandA2a } from './a2a/understand-a2a.ts'
import { understandHttp } from './http/understand-http.ts'
import { understandLlm } from './llm/understand-llm.ts'
import type { McpRefused } from './mcp/rpc-refusal.ts'
import { understandMcp } from './mcp/understand-mcp.ts'
import { understandClientLogin } from './own/understand-client-login.ts'
import { understandDelegation } from './own/understand-delegation.ts'
import { understandOwn } from './own/understand-own.ts'
import { isRunPath, understandRun, type RunMessage } from './own/understand-run.ts'

/**
 * Turns a request into the question to policy, or into what a runtime has to say of itself. The first segment of the path is the protocol, the second the upstream.
 *
 * Refuses `access.unknown-target` and `access.unknown-upstream` alike for things that exist nowhere, and `access.*` for calls that do not fit their protocol.
 */
export async function understand(
  access: AccessSnapshot,
  tickets: TicketVerifier,
  principal: Principal,
  inbound: Inbound,
): Promise<AccessRequest | RunMessage | McpRefused> {
  const [, protocol, second, ...rest] = inbound.path.split('/')
  if (inbound.path === ownPaths.sessionDelegate) return understandDelegation(tickets, principal, inbound)
  if (oauthMethod(inbound.path) !== undefined) return understandClientLogin(access, principal, inbound)
  if (isRunPath(inbound.path)) return understandRun(inbound.path, principal, inbound)
  if (protocol === 'sallyport') return understandOwn(principal, inbound, access.judgedBodyBytesMax)
  if (protocol === 'mcp' && second === undefined) return understandMcp(access, principal, inbound, { upstream: undefined })
  if (protocol !== 'mcp' && protocol !== 'http' && protocol !== 'llm' && protocol !== 'a2a') return refused('access.unknown-target')

  const name = parseUpstreamName(second ?? '')
  const upstream = name && access.upstreams.get(name)
  if (!name || upstream?.protocol !== protocol) return refused('access.unknown-upstream')
  switch (upstream.protocol) {
    case 'http':
      return understandHttp(upstream, principal, inbound, { path: `/${rest.join('/')}`, query: inbound.query }, access)
    case 'llm':
      return understandLlm(upstream, principal, inbound, { path: `/${rest.join('/')}`, query: inbound.query }, access)
    case 'a2a':
      return understandA2a(upstream, principal, inbound, `/${rest.join('/')}`, access)
    case 'mcp':
      if (rest.length > 0) return refused('access.unknown-target')
      return understandMcp(access, principal, inbound, { upstream: name })
    default:
      return unreachable(upstream)
  }
}
