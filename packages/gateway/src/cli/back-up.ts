import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Fault } from '@sallyport/contract'
import { entryTime } from '../audit/entries.ts'
import { openRoots } from '../control/authority/roots.ts'
import { makeBackup, type Backup } from '../control/backup/make-backup.ts'
import { writeNewFile } from '../control/backup/new-file.ts'
import { restoreBackup, type Restored } from '../control/backup/restore-backup.ts'
import { openStream, sealedMagic, sealStream } from '../control/backup/sealed-stream.ts'
import { dataFolder, keptCheckpoint } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { checkCopy, copyDatabase } from '../drivers/sqlite/copy-database.ts'
import { openDatabaseToRead } from '../drivers/sqlite/database.ts'
import { SqliteSecretStore } from '../drivers/sqlite/secret-store.ts'
import { version } from '../main.ts'
import { askGateway } from './admin-client.ts'
import { withLogOffline } from './open-log-offline.ts'
import { ownPrunedLog } from './verify-log.ts'

export interface BackupMade {
  readonly kind: 'made'
  readonly file: string
  readonly bytes: number
  readonly sealed: boolean
  readonly log: { readonly size: number; readonly key: string }
}

type BackupAct = 'backup.made' | 'backup.failed'

/**
 * Backs the folder up into a file, or into a new file in a folder. The log says so first, and says it too when nothing came of it.
 *
 * @param passphrase undefined for a file that everyone can read who has it
 * @throws Fault
 */
export async function backUp(folder: string, target: string, passphrase: string | undefined, person: string): Promise<BackupMade> {
  const { trustDomain } = await openRoots(dataFolder(folder).authority, randomBytes)
  const file = await fileFor(target, trustDomain)
  const sealed = passphrase !== undefined
  const pruned = await ownPrunedLog(folder)
  const subject = { file: basename(file), sealed }
  const noteWith = async (note: (act: BackupAct) => Promise<number>): Promise<BackupMade> => {
    try {
      const backup = await makeBackup({
        folder,
        view: viewLogFolder(dataFolder(folder).log),
        prunedSize: pruned?.size ?? 0,
        copyDatabase: (to) => copyDatabase(dataFolder(folder).database, to),
        note: () => note('backup.made'),
        version,
        now: Date.now,
        random: randomBytes,
      })
      return await write(file, backup, passphrase)
    } catch (error) {
      await note('backup.failed').catch(() => undefined) // a disk that is full may take no entry either, and why it failed is what counts
      throw error
    }
  }
  const running = await askGateway(dataFolder(folder).adminSocket, 'status', {})
  if (running.kind !== 'unreachable') return noteWith((act) => noteRunning(folder, act, person, subject))
  return withLogOffline(folder, trustDomain, ({ log, now }) =>
    noteWith((act) => log.append({ v: 1, time: entryTime(now()), type: 'admin', act, person, subject })),
  )
}

async function write(file: string, { archive, logSize, logKey }: Backup, passphrase: string | undefined): Promise<BackupMade> {
  const content = passphrase === undefined ? archive : sealStream(archive, passphrase, randomBytes)
  const bytes = await writeNewFile(file, content)
  return { kind: 'made', file, bytes, sealed: passphrase !== undefined, log: { size: logSize, key: logKey } }
}

async function noteRunning(folder: string, act: BackupAct, person: string, subject: { readonly file: string; readonly sealed: boolean }): Promise<number> {
  const answer = await askGateway(dataFolder(folder).adminSocket, 'backup.note', { act, person, ...subject })
  if (answer.kind !== 'done')
    throw new Fault(answer.kind === 'refused' ? (answer.problem.detail ?? answer.problem.title) : 'the gateway does not answer', 'not-done')
  const { value } = answer
  if (typeof value !== 'object' || value === null || !('index' in value) || typeof value.index !== 'number')
    throw new Fault('the gateway that runs is of another version', 'not-done')
  return value.index
}

/** The file itself, or a new one in the folder. @throws Fault when there is such a file, before anything is done */
async function fileFor(target: string, trustDomain: string): Promise<string> {
  const found = await stat(target).catch(() => undefined)
  if (!found) return resolve(target)
  if (!found.isDirectory()) throw new Fault(`${target} cannot be written: there is such a file, and it is not replaced`, 'not-done')
  return join(resolve(target), `sallyport-${trustDomain}-${new Date().toISOString().replaceAll(/[-:]|\.[0-9]+/g, '')}.backup`)
}

export interface RestoreTerms {
  readonly file: string
  readonly folder: string
  /** Asked only for a sealed file. */
  readonly passphrase: () => Promise<string>
  readonly head: string | undefined
  readonly isOlderFine: boolean
  readonly person: string
}

/** @throws Fault; the folder is then as it was */
export async function restore({ file, folder, passphrase, head, isOlderFine, person }: RestoreTerms): Promise<Restored> {
  const archive = (await isSealed(file)) ? openStream(createReadStream(file), await passphrase()) : createReadStream(file)
  return restoreBackup({
    archive,
    folder: resolve(folder),
    head,
    isOlderFine,
    checkDatabase: checkRestoredDatabase,
    openAndNote: (staging, trustDomain, known, { madeAt, log: { size } }) =>
      withLogOffline(
        staging,
        trustDomain,
        async ({ log, now }) => {
          await log.append({ v: 1, time: entryTime(now()), type: 'admin', act: 'backup.restored', person, subject: { file: basename(file), madeAt, size } })
        },
        { ...keptCheckpoint(staging), read: async () => known },
      ),
    random: randomBytes,
  })
}

async function isSealed(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(sealedMagic.length))
      return buffer.toString('latin1', 0, bytesRead) === sealedMagic
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new Fault(`${file} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`, 'not-done', error)
  }
}

async function checkRestoredDatabase(folder: string): Promise<void> {
  const { database: path, sealingKey } = dataFolder(folder)
  const key = await readKeyFile(sealingKey)
  const found = await stat(path).catch(() => undefined)
  if (!found || checkCopy(path) === 'older') return
  const database = openDatabaseToRead(path)
  try {
    if (database) await new SqliteSecretStore(database, key, randomBytes).openAll()
  } finally {
    database?.close()
  }
}
