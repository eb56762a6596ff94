import { createHash } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@sallyport/contract'
import { makeFolder, replaceFile } from './durable-files.ts'
import type { WitnessStore } from './witness-store.ts'

/** By which monitors ask for a log, and its file is named. */
export function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex')
}

/**
 * A store in a folder, a file for each log, held by one process: the kernel gives it back when the process ends, however it ends.
 *
 * @throws Fault `not-done` when another process holds the folder, or it cannot be made
 */
export async function openStore(folder: string): Promise<WitnessStore> {
  const lock = await lockFolder(folder)
  /** Logs whose file is known to be as durable as it is visible. */
  const settled = new Set<string>()
  const pathOf = (origin: string): string => join(folder, originHash(origin))
  const put = async (origin: string, note: string): Promise<void> => {
    const path = pathOf(origin)
    settled.delete(origin)
    try {
      await replaceFile(path, note)
    } catch (error) {
      throw new Fault(`the checkpoint of ${origin} cannot be kept: ${error instanceof Error ? error.message : 'unknown'}`, 'unknown', error)
    }
    settled.add(origin)
  }
  return {
    read: async (origin) => {
      const note = await readNote(pathOf(origin))
      // After a failed write or a crash the file that shows may not be the one on the disk: what is acted on is first made durable.
      if (note !== undefined && !settled.has(origin)) await put(origin, note)
      return note
    },
    keep: put,
    close: () => lock.close(),
  }
}

/** What a folder holds of a log, whether a witness runs on it or not. @throws Fault */
export async function readNewest(folder: string, origin: string): Promise<string | undefined> {
  return readNote(join(folder, originHash(origin)))
}

async function readNote(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  }
}

/** SQLite's exclusive transaction is a lock of the kernel, which Node cannot take by itself. */
async function lockFolder(folder: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined
  try {
    await makeFolder(folder)
    database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
    chmodSync(join(folder, 'lock'), 0o600)
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    const isHeld = error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
    throw new Fault(isHeld ? `another witness runs on ${folder}` : `the folder ${folder} cannot be used`, 'not-done', error)
  }
}
