import { closeSync, existsSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { Fault } from '@sallyport/contract'
import { busyMsMax, objectionToDamage } from './database.ts'
import { migrations } from './migrations.ts'

const allPages = 2 ** 31 - 1

/**
 * Copies the database in one state of it, while others may write; false when there is none yet. The copy is a file of mode 0600 that was not there before.
 *
 * @throws Fault `not-done` when it cannot be read, the copy cannot be written, or the copy is damaged
 * @see https://www.sqlite.org/backup.html
 */
export async function copyDatabase(path: string, to: string): Promise<boolean> {
  if (!existsSync(path)) return false
  let opened: DatabaseSync | undefined
  try {
    opened = new DatabaseSync(path, { timeout: busyMsMax, readOnly: true })
    closeSync(openSync(to, 'wx', 0o600))
    await backup(opened, to, { rate: allPages }) // in one step: between steps a writer would make it start over
  } catch (error) {
    throw new Fault(`the database (${path}) cannot be copied: ${error instanceof Error ? error.message : 'unknown'}`, 'not-done', error)
  } finally {
    opened?.close()
  }
  checkCopy(to)
  return true
}

/** @throws Fault `not-done` when it is damaged or was made by a newer version; an older one is brought up to date when the gateway starts */
export function checkCopy(path: string): 'older' | 'current' {
  const opened = new DatabaseSync(path, { timeout: busyMsMax, readOnly: true })
  try {
    const damage = objectionToDamage(opened)
    if (damage !== undefined) throw new Fault(`${damage} (${path})`, 'not-done')
    const taken = Number(opened.prepare('PRAGMA user_version').get()?.['user_version'])
    if (taken > migrations.length) throw new Fault('the database was made by a newer version of Sallyport: use that version', 'not-done')
    return taken < migrations.length ? 'older' : 'current'
  } finally {
    opened.close()
  }
}
