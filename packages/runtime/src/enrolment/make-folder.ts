import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Fault } from '@sallyport/contract'

/**
 * Makes a folder for its owner alone, with what is missing above it, and makes sure that it can be written.
 *
 * Asks the nearest folder that is there first: below some of the system's own (such as /proc) Node never comes back from making folders.
 *
 * @throws Fault `not-done` that says which folder is in the way
 */
export async function makeFolder(directory: string): Promise<void> {
  const target = resolve(directory)
  const above = await nearest(target)
  try {
    if (!(await stat(above)).isDirectory()) throw new Fault(`${above} is no folder: choose another place for the identity`, 'not-done')
    await access(above, constants.W_OK | constants.X_OK)
    if (above.startsWith('/proc/') || above === '/proc') throw new Fault(`${above} keeps no files: choose another place for the identity`, 'not-done')
    await mkdir(target, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`${above} cannot be written by this user: choose another place for the identity with --out DIR`, 'not-done', error)
  }
}

async function nearest(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || dirname(path) === path ? path : nearest(dirname(path))
}
