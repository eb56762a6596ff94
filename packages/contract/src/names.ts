declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type TrustDomain = Branded<'TrustDomain'>
export type TenantName = Branded<'TenantName'>
export type AgentName = Branded<'AgentName'>
export type UpstreamName = Branded<'UpstreamName'>
/** `spiffe://<trust domain>/tenant/<tenant>/agent/<agent>`, nothing else. */
export type SpiffeId = Branded<'SpiffeId'>
/** SHA-256 of the DER certificate, base64url without padding: the `x5t#S256` of RFC 8705. */
export type Thumbprint = Branded<'Thumbprint'>

/** Lower-case letters, digits and inner hyphens, 1 to 63 characters: safe in a path, a label, a file name and a SPIFFE id. */
const name = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const trustDomain = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
const thumbprint = /^[A-Za-z0-9_-]{43}$/

export const nameRule = 'lower-case letters, digits and inner hyphens, at most 63 characters'

export function parseTenantName(text: string): TenantName | undefined {
  return name.test(text) ? (text as TenantName) : undefined
}

export function parseAgentName(text: string): AgentName | undefined {
  return name.test(text) ? (text as AgentName) : undefined
}

/** The part of a log's origin behind the trust domain. */
export function isLogName(text: string): boolean {
  return name.test(text)
}

export function parseUpstreamName(text: string): UpstreamName | undefined {
  return name.test(text) ? (text as UpstreamName) : undefined
}

export function parseTrustDomain(text: string): TrustDomain | undefined {
  return trustDomain.test(text) ? (text as TrustDomain) : undefined
}

export function parseThumbprint(text: string): Thumbprint | undefined {
  return thumbprint.test(text) ? (text as Thumbprint) : undefined
}

export interface AgentIdentity {
  readonly id: SpiffeId
  readonly trustDomain: TrustDomain
  readonly tenant: TenantName
  readonly agent: AgentName
}

export function agentIdentity(domain: TrustDomain, tenant: TenantName, agent: AgentName): AgentIdentity {
  return { id: `spiffe://${domain}/tenant/${tenant}/agent/${agent}` as SpiffeId, trustDomain: domain, tenant, agent }
}

/**
 * Reads an agent's SPIFFE id. Only the exact canonical form is accepted: no other scheme or case, no port, user, query, fragment,
 * percent-encoding, empty or dot segment, so that two spellings never name one agent.
 *
 * @see SPIFFE-ID section 2
 */
export function parseSpiffeId(text: string): AgentIdentity | undefined {
  const parts = text.split('/')
  const [scheme, empty, domainText, tenantWord, tenantText, agentWord, agentText] = parts
  if (parts.length !== 7 || scheme !== 'spiffe:' || empty !== '' || tenantWord !== 'tenant' || agentWord !== 'agent') return undefined
  const domain = parseTrustDomain(domainText ?? '')
  const tenant = parseTenantName(tenantText ?? '')
  const agent = parseAgentName(agentText ?? '')
  return domain && tenant && agent ? agentIdentity(domain, tenant, agent) : undefined
}
