import { Fault } from '@sallyport/contract'
import { decodeBundle, encodeBundle, hashBytes, leafHash, parseTilePath, tilePath, tileWidth, type LogReader } from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'

/**
 * A log whose first entries were pruned, as if they were there: what is gone is read from the archive, and must hash to the tiles, which were not pruned.
 *
 * @param prunedSize how many entries are gone, 0 for none; asked only for what is not there
 * @param archived absent: whoever reads an entry that is gone gets a Fault that says where it is
 */
export function viewPruned(view: LogView, prunedSize: () => Promise<number>, archived?: Pick<LogReader, 'tile'>): LogView {
  return {
    ...view,
    tile: async (path) => {
      const here = await view.tile(path)
      const at = here ? undefined : parseTilePath(path)
      if (at?.kind !== 'entries') return here
      const gone = await prunedSize()
      if ((at.index + 1) * tileWidth > gone) return undefined
      if (at.width < tileWidth) return undefined // the full one is asked for next
      const first = at.index * tileWidth
      if (!archived) {
        throw new Fault(
          `entry ${first} is not here: the first ${gone} were pruned. They are in the archive: name it under log.archive, or "sallyport log fetch-archive" them`,
          'not-done',
        )
      }
      const bundle = await archived.tile(path)
      if (!bundle) throw new Fault(`entry ${first} was pruned here, and the archive does not have it: keep both as evidence`, 'not-done')
      const tile = await view.tile(tilePath({ level: 0, index: at.index, width: tileWidth }))
      if (!tile || !isOf(bundle, tile)) throw new Fault(`${path} of the archive does not hash to what the log says: keep both as evidence`, 'not-done')
      return bundle
    },
  }
}

function isOf(bundle: Uint8Array, tile: Uint8Array): boolean {
  const entries = decodeBundle(bundle, tileWidth)
  const isWhole = entries.length === tileWidth && encodeBundle(entries).length === bundle.length
  return (
    isWhole && entries.every((entry, at) => Buffer.compare(leafHash(nodeLogCrypto.sha256, entry), tile.subarray(at * hashBytes, (at + 1) * hashBytes)) === 0)
  )
}
