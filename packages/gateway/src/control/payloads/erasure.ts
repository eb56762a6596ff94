import type { AdminEvent } from '@sallyport/contract'
import { agentMark, tenantMark, type StoredPayload } from './payload-files.ts'

export const erasedAct = 'payload.erased'

/** What is erased, as its entry in the log says it, so that whoever reads that entry later can erase the same again. */
export type Erasure = { readonly kind: 'one'; readonly entry: number; readonly digest: string } | ErasureOfMany

/** Everything that was captured before, in milliseconds since the epoch, by this agent, or in this tenant, or at all. */
export interface ErasureOfMany {
  readonly kind: 'many'
  readonly tenant?: string | undefined
  readonly agent?: string | undefined
  readonly before: number
}

/** Tells which payloads it erases: made once for many, since a mark costs more than all that is compared with it. */
export function matchErasure({ tenant, agent, before }: ErasureOfMany): (payload: StoredPayload) => boolean {
  if (tenant === undefined) return (payload) => payload.capturedAt < before
  const mark = agent === undefined ? tenantMark(tenant) : agentMark(tenant, agent)
  return (payload) => payload.capturedAt < before && mark === (agent === undefined ? payload.tenant : payload.agent)
}

export function subjectOf(erasure: Erasure): AdminEvent['subject'] {
  if (erasure.kind === 'one') return { entry: erasure.entry, digest: erasure.digest }
  const { tenant, agent, before } = erasure
  return { ...(tenant !== undefined && { tenant }), ...(agent !== undefined && { agent }), before: new Date(before).toISOString() }
}

/** Undefined for an entry of another act. */
export function erasureIn({ act, subject }: Pick<AdminEvent, 'act' | 'subject'>): Erasure | undefined {
  if (act !== erasedAct) return undefined
  const { entry, digest, tenant, agent, before } = subject
  if (typeof entry === 'number' && typeof digest === 'string') return { kind: 'one', entry, digest }
  if (typeof before !== 'string') return undefined
  return { kind: 'many', ...(typeof tenant === 'string' && { tenant }), ...(typeof agent === 'string' && { agent }), before: Date.parse(before) }
}
