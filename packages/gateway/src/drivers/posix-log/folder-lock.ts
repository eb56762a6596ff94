import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@sallyport/contract'

export interface FolderLock {
  release(): void
}

/**
 * Takes a folder for this process; the kernel gives it back when the process ends, however it ends.
 *
 * SQLite's exclusive transaction is a POSIX record lock on `lock`, which Node cannot take by itself. It holds across containers that share the folder, where
 * a process id would mean nothing, and it cannot go stale.
 *
 * @throws Fault `not-done` when another live process, or this one, holds it.
 */
export function lockFolder(folder: string): FolderLock {
  const ownerPath = join(folder, 'lock.owner')
  let database: DatabaseSync
  try {
    database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
    chmodSync(join(folder, 'lock'), 0o600) // by name: to open and close the file here would give up a lock that this process holds, see fcntl(2)
  } catch (error) {
    throw new Fault(`the log folder ${folder} cannot be locked`, 'not-done', error)
  }
  try {
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
    writeFileSync(ownerPath, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw new Fault(`the log folder ${folder} cannot be locked`, 'not-done', error)
    throw new Fault(
      `the log folder ${folder} is in use by another gateway (process ${ownerOf(ownerPath)}); stop it, or give this one a folder of its own`,
      'not-done',
      error,
    )
  }
  return { release: () => database.close() }
}

function ownerOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}
