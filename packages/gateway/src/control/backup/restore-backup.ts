import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { openRoots } from '../authority/roots.ts'
import type { Random } from '../authority/sign-certificate.ts'
import { dataFolder } from '../data-folder.ts'
import { syncFolder } from '../private-files.ts'
import { unpackArchive, type Manifest } from './archive.ts'

export interface RestorePorts {
  /** The archive, opened. */
  readonly archive: AsyncIterable<Uint8Array>
  /** What is restored; empty, or not there, or holding no more than a `log.head`. */
  readonly folder: string
  /** A checkpoint of the same log that is known, where the folder holds no `log.head`. */
  readonly head: string | undefined
  readonly isOlderFine: boolean
  /** Whether the database is whole and the sealing key opens what it sealed. @throws Fault */
  readonly checkDatabase: (folder: string) => Promise<void>
  /** Opens the log of a folder as a gateway would, held against this checkpoint, and notes the restore in it. @throws Fault */
  readonly openAndNote: (folder: string, trustDomain: string, head: string, backup: Manifest) => Promise<void>
  readonly random: Random
}

export interface Restored {
  readonly manifest: Manifest
  /** Entries that are known to have come after the backup. */
  readonly lostEntries: number
}

/**
 * Makes a data folder of a backup: all of it or, when anything does not fit, nothing.
 *
 * Compares each file with the manifest, the log with its signed checkpoint and with each newer checkpoint that is known, keys with the authority and with what they seal.
 *
 * @throws Fault `not-done`
 */
export async function restoreBackup(ports: RestorePorts): Promise<Restored> {
  const { folder, isOlderFine } = ports
  const beside = await headBeside(folder)
  if (beside !== undefined && ports.head !== undefined) throw new Fault(`${folder} holds a log.head already: give no other`, 'not-done')
  const staging = `${folder}.unfinished`
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
  try {
    await mkdir(staging, { mode: 0o700 })
  } catch (error) {
    throw new Fault(`${staging} cannot be made; if it is left from a restore that was interrupted, remove it`, 'not-done', error)
  }
  try {
    const manifest = await unpackArchive(ports.archive, (name, content) => keepFile(staging, name, content))
    const { trustDomain } = await openRoots(dataFolder(staging).authority, ports.random)
    if (trustDomain !== manifest.trustDomain) throw new Fault('the authority in the backup is not that of its manifest', 'not-done')
    await ports.checkDatabase(staging)
    const own = await readFile(dataFolder(staging).logHead, 'utf8')
    const known = beside ?? ports.head ?? own
    const lostEntries = Math.max(0, sizeOf(known) - sizeOf(own))
    if (lostEntries > 0 && !isOlderFine) throw older(manifest, lostEntries)
    await ports.openAndNote(staging, trustDomain, lostEntries > 0 ? own : known, manifest)
    if (beside !== undefined) await rm(dataFolder(folder).logHead)
    await rename(staging, folder)
    await syncFolder(dirname(folder))
    return { manifest, lostEntries }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

function older({ madeAt, log }: Manifest, lostEntries: number): Fault {
  return new Fault(
    `the backup of ${madeAt} has ${log.size} entries of the log, and the log.head that is known has ${lostEntries} more: the quotas used, approvals answered, agents revoked ` +
      'and secrets changed in them would be forgotten. Restore a newer backup, or say --older-is-fine',
    'not-done',
  )
}

/** The `log.head` that the folder may hold. @throws Fault when it holds anything else */
async function headBeside(folder: string): Promise<string | undefined> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${folder} cannot be read`, 'not-done', error)
  }
  if (names.some((name) => name !== 'log.head'))
    throw new Fault(`${folder} is not empty, and nothing is overwritten: move it away, or name another folder`, 'not-done')
  return names.length === 0 ? undefined : readFile(join(folder, 'log.head'), 'utf8')
}

/** As the checkpoint says; whether the gateway signed it is checked when the log is opened, or does not matter, since it only refuses. */
function sizeOf(checkpoint: string): number {
  const size = checkpoint.split('\n')[1] ?? ''
  if (!/^[0-9]{1,15}$/.test(size)) throw new Fault('the log.head that shall be compared is no checkpoint', 'not-done')
  return Number(size)
}

async function keepFile(folder: string, name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  let file: FileHandle | undefined
  try {
    file = await open(path, 'wx', 0o600)
    for await (const piece of content) await file.writeFile(piece)
    await file.sync()
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`${path} cannot be written: ${error instanceof Error ? error.message : 'unknown'}`, 'not-done', error)
  } finally {
    await file?.close()
  }
}
