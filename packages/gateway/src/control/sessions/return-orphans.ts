import { withDeadline, type Pause } from './deadline.ts'
import type { IdentityProvider } from './identity-provider.ts'
import { tokenPlace, type Seal } from './sealed-texts.ts'
import type { SessionLog } from './session-log.ts'
import { orphanOffersMax } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

export interface OrphanPorts {
  readonly store: Pick<SessionStore, 'takeOrphans' | 'forgetOrphan'>
  readonly provider: IdentityProvider
  readonly log: SessionLog
  readonly seal: Seal
  readonly pause: Pause
}

/** Orphans that are given back in one go. */
const orphansMax = 32

/** Gives tokens that no session needs back to the provider (RFC 7009). What it does not take now comes again later. @throws Fault */
export async function returnOrphans({ store, provider, log, seal, pause }: OrphanPorts, deadlineMs: number): Promise<void> {
  for (const { key, session, generation, sealed, offers } of await store.takeOrphans(orphansMax)) {
    const token = seal.open(tokenPlace(session, generation), sealed)
    const isGiven = await withDeadline(pause, deadlineMs, (signal) => provider.revoke(token, signal))
    if (isGiven !== true && offers < orphanOffersMax) continue
    await store.forgetOrphan(key)
    await log.tell({ act: isGiven === true ? 'orphan-revoked' : 'orphan-lost', session })
  }
}
