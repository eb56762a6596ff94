import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { bundlePath, tileWidth } from '@sallyport/contract/log'

/** Removes the bundles of the first `size` entries from a log folder, beside a gateway at work on it. Safe to repeat. @throws Fault */
export async function removeBundles(folder: string, size: number): Promise<void> {
  for (let bundle = 0; (bundle + 1) * tileWidth <= size; bundle += 1) {
    const path = bundlePath(bundle, tileWidth)
    try {
      await rm(join(folder, path), { force: true })
    } catch (error) {
      throw new Fault(`${path} cannot be removed`, 'unknown', error)
    }
  }
}
