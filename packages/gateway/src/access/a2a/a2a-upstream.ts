import {
  agentIdentity,
  parseAgentName,
  parseTenantName,
  type A2aUpstreamConfiguration,
  type AgentIdentity,
  type TrustDomain,
  type UpstreamName,
} from '@sallyport/contract'

/** What access needs to know of one agent that others call. */
export interface A2aUpstreamAccess {
  readonly protocol: 'a2a'
  readonly name: UpstreamName
  readonly peer: AgentIdentity
  /** The path at which it takes JSON-RPC. */
  readonly endpoint: string
  /** Whether it gets a ticket of the caller's session. */
  readonly isPassedOn: boolean
  /** The most that such a ticket carries; undefined: what the caller's has. */
  readonly scopes: readonly string[] | undefined
}

export function compileA2aUpstream(name: UpstreamName, { agent, url, ticket, scopes }: A2aUpstreamConfiguration, trustDomain: TrustDomain): A2aUpstreamAccess {
  const [tenantText = '', agentText = ''] = agent.split('/')
  const [peerTenant, peerAgent] = [parseTenantName(tenantText), parseAgentName(agentText)]
  if (!peerTenant || !peerAgent) throw new TypeError('the schema lets only names through')
  const peer = agentIdentity(trustDomain, peerTenant, peerAgent)
  return { protocol: 'a2a', name, peer, endpoint: URL.parse(url)?.pathname ?? '/', isPassedOn: ticket === 'delegated', scopes }
}
