import type { UpstreamName } from '@sallyport/contract'
import type { AccessRequest, Call, TokenCeiling } from '../access/access-request.ts'
import type { Principal } from '../identity/identify.ts'

/** What policy looks at of a call. Plain data, since the ledger may run on another thread. */
export interface Question extends Pick<AccessRequest, 'id' | 'upstream' | 'action' | 'resource' | 'args' | 'context' | 'standing'> {
  readonly principal: Pick<Principal, 'id' | 'tenant' | 'agent' | 'thumbprint' | 'session'>
  /** The body passes unread. */
  readonly isStreamed: boolean
  /** Where bookkeeping of a protocol is judged; undefined at the aggregated endpoint, where no single upstream is meant. */
  readonly place: UpstreamName | undefined
  /** What becomes of tools whose definitions are pinned, at which revision of the upstream; undefined where none are. */
  readonly pinned: { readonly use: 'called' | 'shown'; readonly revision: string } | undefined
  /** Of a call to a language model. */
  readonly ceiling: TokenCeiling | undefined
}

export function questionOf({ principal, call, ...asked }: AccessRequest): Question {
  const { id, tenant, agent, thumbprint, session } = principal
  return {
    ...asked,
    principal: { id, tenant, agent, thumbprint, session },
    isStreamed: isStreamed(call),
    place: call.kind === 'mcp' ? call.upstream : asked.upstream,
    pinned: pinnedIn(call),
    ceiling: call.kind === 'llm' ? call.ceiling : undefined,
  }
}

/** Whether the body passes unread. */
export function isStreamed(call: Call): boolean {
  return call.kind === 'http' && call.body !== undefined && !(call.body instanceof Uint8Array)
}

/** At the aggregated endpoint lists are shown one upstream at a time, after the decision. */
function pinnedIn(call: Call): Question['pinned'] {
  if (call.kind !== 'mcp' || call.upstream === undefined || call.message?.kind !== 'request') return undefined
  const [target] = call.targets
  if (!target || target.tools === 'unpinned') return undefined
  const { revision } = target
  if (call.message.method === 'tools/call') return { use: 'called', revision }
  return call.message.method === 'tools/list' ? { use: 'shown', revision } : undefined
}
