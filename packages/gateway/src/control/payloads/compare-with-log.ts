import type { LogView } from '../../audit/log-files.ts'
import { readForward } from '../../audit/reader.ts'
import { erasureIn, matchErasure } from './erasure.ts'
import type { StoredPayload } from './payload-files.ts'

/** A clock that was set back may have put an entry so long before its payload. */
const slackMs = 3_600_000

/** What must not be there any more. */
export interface UncalledFor {
  readonly payloads: readonly StoredPayload[]
  /** Approvals of held calls, each of which was erased by its own entry. */
  readonly held: readonly string[]
}

/**
 * Payloads that no entry cites, since a crash came between the two, and those whose erasure the log tells, since a crash, a backup or a copy of the folder has
 * brought them back; of held calls those that have their arguments still.
 *
 * Reads the log from the oldest of them on, and as a whole only where one of them has no entry there.
 *
 * @throws Fault; also when it is aborted
 */
export async function findUncalledFor(view: LogView, stored: readonly StoredPayload[], signal: AbortSignal): Promise<UncalledFor> {
  if (stored.length === 0) return { payloads: [], held: [] }
  const oldest = stored.reduce((least, { capturedAt }) => Math.min(least, capturedAt), Number.POSITIVE_INFINITY)
  const near = await readAgainst(view, stored, new Date(Math.max(0, oldest - slackMs)).toISOString(), signal)
  if (near.uncited.size === 0) return { payloads: [...near.erased], held: near.held }
  const far = await readAgainst(view, [...near.uncited], undefined, signal)
  return { payloads: [...new Set([...near.erased, ...far.erased, ...far.uncited])], held: [...near.held, ...far.held] }
}

async function readAgainst(
  view: LogView,
  stored: readonly StoredPayload[],
  time: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly uncited: ReadonlySet<StoredPayload>; readonly erased: ReadonlySet<StoredPayload>; readonly held: readonly string[] }> {
  const byDigest = new Map(stored.map((payload) => [payload.digest, payload]))
  const uncited = new Map(byDigest)
  const erased = new Set<StoredPayload>()
  const approvals = new Map<string, string>()
  const held: string[] = []
  for await (const { event } of readForward(view, time === undefined ? {} : { time })) {
    signal.throwIfAborted()
    if (event.type === 'decision' && event.payload) {
      const { digest } = event.payload
      uncited.delete(digest)
      if (event.decision === 'hold' && event.approval !== undefined && byDigest.has(digest)) approvals.set(digest, event.approval)
    }
    const erasure = event.type === 'admin' ? erasureIn(event) : undefined
    if (!erasure) continue
    if (erasure.kind === 'many') for (const payload of stored.filter(matchErasure(erasure))) erased.add(payload)
    else {
      const payload = byDigest.get(erasure.digest)
      const approval = approvals.get(erasure.digest)
      if (payload) erased.add(payload)
      if (approval !== undefined) held.push(approval)
    }
  }
  return { uncited: new Set(uncited.values()), erased, held }
}
