import type { Thumbprint } from '@sallyport/contract'
import type { AgentStore } from '../authority/agent-store.ts'
import type { Proof } from './session.ts'

/** Which certificates our own authority has renewed from which. */
export interface Lineage {
  /** Whether what `proof` shows was renewed from `ancestor`, link by link, for the same agent. False where anything is missing or revoked. Rejects with Fault. */
  descends(proof: Proof, ancestor: Thumbprint): Promise<boolean>
}

/**
 * The lineage as the authority recorded it. A renewal is recorded only when it was asked for with the key of the certificate before; a certificate of a fresh
 * enrolment descends from none. What was renewed from a revoked certificate may be the thief's, so it does not count.
 */
export function recordedLineage(store: Pick<AgentStore, 'certificates'>): Lineage {
  return {
    descends: async ({ tenant, agent, thumbprint }, ancestor) => {
      const issued = new Map((await store.certificates({ tenant, agent })).map((certificate) => [certificate.thumbprint, certificate]))
      const seen = new Set<Thumbprint>()
      for (let link = issued.get(thumbprint); link && link.revokedAtMs === undefined && !seen.has(link.thumbprint);) {
        if (link.thumbprint === ancestor) return link.thumbprint !== thumbprint
        seen.add(link.thumbprint)
        link = link.previous === undefined ? undefined : issued.get(link.previous)
      }
      return false
    },
  }
}
