import type { AccessRequest } from '../access-request.ts'

/**
 * The gateway's own question, in the agent's name, for the tools of the upstream that a request is about: before one is called or shown the gateway must know
 * what the upstream says of it.
 *
 * @throws TypeError for a request that is about no MCP upstream
 */
export function toolListing({ principal, upstream, context, call }: AccessRequest, id: string): AccessRequest {
  const [target] = call.kind === 'mcp' ? call.targets : []
  if (call.kind !== 'mcp' || !target) throw new TypeError('only MCP upstreams list tools')
  const action = 'tools/list'
  return {
    id,
    principal,
    upstream,
    action,
    resource: action,
    args: undefined,
    standing: 'protocol',
    context: { ...context, method: action },
    call: { kind: 'mcp-listing', upstream: target, call },
  }
}
