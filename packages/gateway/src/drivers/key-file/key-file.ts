import { constants } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '@sallyport/contract'
import { readPrivateBytes, syncFolder } from '../../control/private-files.ts'

/** The length of every key kept in such a file. */
export const keyFileBytes = 32

/**
 * Makes a key file of 32 random bytes, mode 0600, unless there is one. It is whole when it has its name, and durable when this resolves.
 *
 * This file seals the secret store: whoever has both reads every upstream credential, and without it none can be read again. Back it up apart from the database.
 *
 * @throws Fault `not-done` when the folder cannot be written
 */
export async function createKeyFile(path: string, randomBytes: (length: number) => Uint8Array): Promise<'exists' | 'created'> {
  const unfinished = `${path}.unfinished`
  try {
    await rm(unfinished, { force: true })
    const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    try {
      await file.writeFile(randomBytes(keyFileBytes))
      await file.sync()
    } finally {
      await file.close()
    }
    // A link is refused where the name is taken; a rename would replace a key in use.
    await link(unfinished, path)
    await syncFolder(dirname(path))
    return 'created'
  } catch (error) {
    if (isCode(error, 'EEXIST')) return 'exists'
    throw new Fault(`the key file ${path} cannot be made: ${messageOf(error)}`, 'not-done', error)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/**
 * Reads the 32 bytes.
 *
 * @throws Fault `not-done` when there is no such file, when it is a symbolic link, of another length or another owner, or when others may read or write it
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const bytes = await readPrivateBytes(path)
  if (bytes.length !== keyFileBytes) throw new Fault(`${path} has ${bytes.length} bytes instead of ${keyFileBytes}: restore it from a backup`, 'not-done')
  return bytes
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
