import { createHash } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@sallyport/contract'
import type { WitnessStore } from './witness-store.ts'

/** The calls of the file system by which something is kept, one after the other, so that a test can fail each. */
export interface StoreCalls {
  write(path: string, text: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  syncFolder(path: string): Promise<void>
}

export const storeCalls: StoreCalls = {
  write: async (path, text) => {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  rename,
  syncFolder: async (path) => {
    const folder = await open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
}

/** By which monitors ask for a log, and its file is named. */
export function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex')
}

/**
 * A store in a folder, a file for each log, held by one process: the kernel gives it back when the process ends, however it ends.
 *
 * @throws Fault `not-done` when another process holds the folder, or it cannot be made
 */
export async function openStore(folder: string, calls: StoreCalls = storeCalls): Promise<WitnessStore> {
  const lock = await lockFolder(folder)
  /** Logs whose file is known to be as durable as it is visible. */
  const settled = new Set<string>()
  const pathOf = (origin: string): string => join(folder, originHash(origin))
  const put = async (origin: string, note: string): Promise<void> => {
    const path = pathOf(origin)
    settled.delete(origin)
    try {
      await calls.write(`${path}.new`, note)
      await calls.rename(`${path}.new`, path)
      await calls.syncFolder(folder)
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
    await mkdir(folder, { recursive: true, mode: 0o700 })
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
