import { constants } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'

const permissionBits = 0o777
const othersBits = 0o077

/** Makes the folder if there is none. @throws Fault when it belongs to someone else or others can enter it */
export async function openPrivateFolder(path: string): Promise<void> {
  try {
    await makeFolders(path)
  } catch (error) {
    throw new Fault(`the folder ${path} cannot be made: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`, 'not-done', error)
  }
  refuseShared(path, await stat(path), '700')
}

/** One by one: what Node does for `recursive` never ends where no folder can be made, such as below /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolders(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

/**
 * Reads a file that must be this user's secret.
 *
 * The open file is what is checked: a check by name could look at one file and read another.
 *
 * @throws Fault `not-done` when others may read or write it, when it is a symbolic link, or when it cannot be read
 */
export async function readPrivateBytes(path: string): Promise<Buffer> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      refuseShared(path, await file.stat(), '600')
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`, 'not-done', error)
  }
}

/** As `readPrivateBytes`, of a text in UTF-8. */
export async function readPrivateFile(path: string): Promise<string> {
  return (await readPrivateBytes(path)).toString('utf8')
}

/** Replaces or makes the file whole, with mode 0600: after a crash there is the old content or the new. Durable when it resolves. */
export async function writePrivateFile(folder: string, name: string, content: string): Promise<void> {
  const unfinished = join(folder, `.${name}.unfinished`)
  const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, join(folder, name))
  await syncFolder(folder)
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function refuseShared(path: string, { mode, uid }: { readonly mode: number; readonly uid: number }, wanted: string): void {
  const own = process.getuid?.()
  if (own !== undefined && uid !== own) throw new Fault(`${path} belongs to another user`, 'not-done')
  if ((mode & othersBits) === 0) return
  const found = (mode & permissionBits).toString(8)
  throw new Fault(`${path} is open to others (mode ${found}): chmod ${wanted} it, and if it is a key, treat it as stolen`, 'not-done')
}
