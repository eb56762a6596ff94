import { parseTilePath, tileWidth, verifyLog, type PrunedPart, type VerifierKey } from '@sallyport/contract/log'
import type { LogView } from '../audit/log-files.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { ArchiveReader } from './archive-reader.ts'
import type { ArchiveView } from './archive-store.ts'
import { sizeOfCheckpoint } from './opened-archive.ts'

/** A lock that ends sooner is no proof that the archive keeps what is removed here. */
export const lockRestMsMin = 30 * 86_400_000

export interface PruningTerms {
  readonly view: LogView
  readonly archive: ArchiveView
  readonly key: VerifierKey
  /** What was pruned before. */
  readonly pruned: PrunedPart | undefined
  /** How many entries shall be gone; a multiple of 256. */
  readonly size: number
  readonly nowMs: number
  readonly onProgress: (entries: number, size: number) => void
}

export type PruningProof = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'proved'; readonly archivedSize: number }

/**
 * Whether entries can be removed here because the archive has them: every object is read back, byte by byte the same as here, locked for long enough, and what the archive has
 * verifies by itself against a checkpoint that the log signed. Refused otherwise, with the first object that does not fit.
 *
 * @throws Fault when the archive does not answer
 */
export async function provePruning({ view, archive, key, pruned, size, nowMs, onProgress }: PruningTerms): Promise<PruningProof> {
  let objection: string | undefined
  const watched: ArchiveView = {
    ...archive,
    read: async (path, version) => {
      const object = await archive.read(path, version)
      if (!object) return object
      if (object.lockedUntilMs === undefined) objection ??= `${path} in the archive is not locked`
      else if (object.lockedUntilMs < nowMs + lockRestMsMin)
        objection ??= `${path} in the archive is locked only until ${new Date(object.lockedUntilMs).toISOString()}`
      const at = parseTilePath(path)
      const isRemoved = at?.kind === 'entries' && at.width === tileWidth && at.index * tileWidth >= (pruned?.size ?? 0) && at.index * tileWidth < size
      if (isRemoved && Buffer.compare(object.bytes, (await view.tile(path)) ?? new Uint8Array(0)) !== 0)
        objection ??= `${path} in the archive differs from the one here`
      return object
    },
  }
  const reader = new ArchiveReader(watched, { sizeOf: sizeOfCheckpoint(key), inOrder: true })
  const verdict = await verifyLog(reader, key, nodeLogCrypto, { hashesOnly: true, pruned, onProgress })
  if (verdict.kind === 'fault') return { kind: 'refused', reason: `the archive does not verify: ${verdict.text}` }
  if (objection !== undefined) return { kind: 'refused', reason: objection }
  if (verdict.size < size) return { kind: 'refused', reason: `the archive has ${verdict.size} entries, and ${size} should be removed` }
  return { kind: 'proved', archivedSize: verdict.size }
}
