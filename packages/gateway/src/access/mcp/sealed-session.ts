import type { SpiffeId, UpstreamName } from '@sallyport/contract'
import type { JsonRpcId } from '../access-request.ts'
import { isJsonArray } from './json-rpc.ts'
import { openSealed, seal } from './seal.ts'

/** Who may use a sealed id, and where. An absent upstream is the aggregated endpoint. */
export interface SealOwner {
  readonly agent: SpiffeId
  readonly upstream: UpstreamName | undefined
}

/**
 * The Mcp-Session-Id that an agent gets. It carries the upstream's own session id, which the agent never sees, and opens only for the same agent at the same
 * upstream; so it needs no table and holds on every thread and across restarts.
 */
export function sealSession(key: Uint8Array, { agent, upstream }: SealOwner, upstreamSession: string): string {
  return seal(key, 'session', [agent, upstream ?? null, upstreamSession])
}

/** The upstream's session id, or undefined for a session that is forged, of another agent or of another upstream. */
export function openSession(key: Uint8Array, { agent, upstream }: SealOwner, sealed: string): string | undefined {
  const value = openSealed(key, 'session', sealed)
  if (!isJsonArray(value)) return undefined
  const [sealedAgent, sealedUpstream, session] = value
  return sealedAgent === agent && sealedUpstream === (upstream ?? null) && typeof session === 'string' ? session : undefined
}

/** The id under which a server's request reaches the agent: only what was let through this way can be answered. */
export function sealServerRequest(key: Uint8Array, agent: SpiffeId, upstream: UpstreamName, session: string | undefined, id: JsonRpcId): string {
  return seal(key, 'server-request', [agent, upstream, session ?? null, id])
}

/** The server's own id for its request, and the upstream it came from. */
export function openServerRequest(
  key: Uint8Array,
  agent: SpiffeId,
  sealed: JsonRpcId | undefined,
): { readonly upstream: string; readonly session: string | undefined; readonly id: JsonRpcId } | undefined {
  const value = typeof sealed === 'string' ? openSealed(key, 'server-request', sealed) : undefined
  if (!isJsonArray(value)) return undefined
  const [sealedAgent, upstream, session, id] = value
  if (sealedAgent !== agent || typeof upstream !== 'string' || (typeof session !== 'string' && session !== null)) return undefined
  return typeof id === 'string' || typeof id === 'number' ? { upstream, session: session ?? undefined, id } : undefined
}
