import type { UpstreamName } from '@sallyport/contract'
import type { AccessRequest, TokenCeiling } from '../access/access-request.ts'
import type { Principal } from '../identity/identify.ts'

/** What policy looks at of a call. Plain data, since the ledger may run on another thread. */
export interface Question extends Pick<AccessRequest, 'id' | 'upstream' | 'action' | 'resource' | 'args' | 'context' | 'standing'> {
  readonly principal: Pick<Principal, 'id' | 'tenant' | 'agent' | 'thumbprint'>
  /** The body passes unread. */
  readonly isStreamed: boolean
  /** Where bookkeeping of a protocol is judged; undefined at the aggregated endpoint, where no single upstream is meant. */
  readonly place: UpstreamName | undefined
  /** Of a call to a language model. */
  readonly ceiling: TokenCeiling | undefined
}

export function questionOf({ principal, call, ...asked }: AccessRequest): Question {
  const { id, tenant, agent, thumbprint } = principal
  return {
    ...asked,
    principal: { id, tenant, agent, thumbprint },
    isStreamed: call.kind === 'http' && call.body !== undefined && !(call.body instanceof Uint8Array),
    place: call.kind === 'mcp' ? call.upstream : asked.upstream,
    ceiling: call.kind === 'llm' ? call.ceiling : undefined,
  }
}
