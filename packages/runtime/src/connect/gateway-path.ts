import { oauthMethod, refused, unreachable, type Refused } from '@sallyport/contract'
import type { Admitted } from './admit.ts'
import type { Upstream, UpstreamHosts } from './upstream-hosts.ts'
import type { RefusedByGateway } from '../link/gateway-link.ts'

const direct = /^\/(?:mcp(?:\/[a-z0-9-]{1,63})?(?:\?.*)?|(?:http|llm|a2a)\/[a-z0-9-]{1,63}(?:[/?].*)?)$/
const dotSegment = /\/(?:\.|%2e){1,2}(?:\/|$)/i
const namedMax = 32

/**
 * The gateway's path for what a client asked of the bridge. Refuses `access.unknown-target` for anything but calls to upstreams (the gateway's own interface, certificate
 * renewal above all, is not for clients), `edge.malformed` for dot segments, which could lead there, and `connect.unknown-host`.
 *
 * @throws Fault when the gateway cannot be asked for its hosts.
 */
export async function gatewayPath(
  asked: Exclude<Admitted, { kind: 'preflight' }>,
  hosts: UpstreamHosts,
): Promise<Refused | RefusedByGateway | { readonly kind: 'path'; readonly path: string }> {
  const { pathAndQuery } = asked
  const [path = '/'] = pathAndQuery.split('?', 1)
  if (dotSegment.test(path)) return refused('edge.malformed', undefined, { detail: 'The path must not hold dot segments.' })
  if (asked.kind === 'direct') {
    if (direct.test(pathAndQuery) || oauthMethod(path) !== undefined) return { kind: 'path', path: pathAndQuery }
    return refused('access.unknown-target', undefined, {
      detail: 'Use /mcp, /mcp/UPSTREAM, /http/UPSTREAM/PATH, /llm/UPSTREAM/v1/... or /a2a/UPSTREAM, or the bridge as HTTP proxy.',
    })
  }

  const found = await upstreamAt(asked.authority, hosts)
  switch (found.kind) {
    case 'refused':
      return found
    case 'found': {
      const { name, protocol } = found.upstream
      if (protocol !== 'mcp') return { kind: 'path', path: `/${protocol}/${name}${pathAndQuery}` }
      if (path === '/' || path === '/mcp') return { kind: 'path', path: `/mcp/${name}` }
      return refused('access.unknown-target', undefined, { detail: `${name} is an MCP server: call http://${name}/mcp.` })
    }
    default:
      return unreachable(found)
  }
}

/**
 * The upstream that answers to a host name, with a port or without. Refuses `connect.unknown-host` and says which names are known; no name is ever looked up.
 *
 * @throws Fault when the gateway cannot be asked for its hosts.
 */
export async function upstreamAt(
  authority: string,
  hosts: UpstreamHosts,
): Promise<Refused | RefusedByGateway | { readonly kind: 'found'; readonly upstream: Upstream }> {
  const found = await hosts.find(authority)
  if (found.kind !== 'unknown') return found
  const named = found.known.slice(0, namedMax).join(', ')
  const detail = `Known host names: ${named === '' ? 'none, since no rule lets this agent reach anything' : named}.`
  return refused('connect.unknown-host', undefined, { detail })
}
