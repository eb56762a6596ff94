import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Fault } from '@sallyport/contract'
import { parseVerifierKey, verifierKeyText, type Checkpoint } from '@sallyport/contract/log'
import type { LogView } from '../../audit/log-files.ts'
import { nodeLogCrypto, verifierKeyOf } from '../../audit/log-key.ts'
import { openRoots } from '../authority/roots.ts'
import type { Random } from '../authority/sign-certificate.ts'
import { dataFolder, readLogKey } from '../data-folder.ts'
import { parsePayloadFileName } from '../payloads/payload-files.ts'
import { readPrivateBytes } from '../private-files.ts'
import { memberOf, packArchive } from './archive.ts'
import { checkpointOver, copyLog } from './copy-log.ts'
import type { Member } from './tar.ts'

export interface BackupPorts {
  readonly folder: string
  readonly view: LogView
  /** Copies the database in one consistent state; false when there is none yet. @throws Fault */
  readonly copyDatabase: (to: string) => Promise<boolean>
  /** Writes to the log who makes the copy, durable when it resolves, and gives the entry's index. @throws Fault */
  readonly note: () => Promise<number>
  readonly version: string
  readonly now: () => number
  readonly random: Random
}

export interface Backup {
  readonly logSize: number
  readonly logKey: string
  readonly trustDomain: string
  /** The archive. To be read to its end, which alone says that it is whole. */
  readonly archive: AsyncIterable<Uint8Array>
}

/** For a checkpoint over the entry that notes the backup; the log publishes one a second. */
const checkpointWaitMsMax = 15_000
const checkpointPollMs = 50
/** Times the authority is read again because it changed meanwhile. */
const authorityReadsMax = 5

/**
 * Copies a data folder, with or without a gateway at work on it.
 *
 * Who makes the copy is in the log before anything is copied, and in the copy. The log is copied as of a checkpoint; the database after it, so that it has
 * everything that the copied log says was done, and at most a moment more.
 *
 * @throws Fault; also while `archive` is read
 */
export async function makeBackup(ports: BackupPorts): Promise<Backup> {
  const { folder, view, version, now, random } = ports
  const cursors = await cursorMembers(dataFolder(folder).exports) // in front of the checkpoint, since no cursor may be past the log that is copied
  const { trustDomain } = await openRoots(dataFolder(folder).authority, random)
  const logKey = verifierKeyText(verifierKeyOf(await readLogKey(folder)))
  const checkpoint = await waitForCheckpoint(view, logKey, await ports.note())
  const facts = { version, madeAt: new Date(now()).toISOString(), trustDomain, log: { size: checkpoint.size, key: logKey } }
  return { logSize: checkpoint.size, logKey, trustDomain, archive: packArchive(membersOf(ports, checkpoint, cursors), facts) }
}

async function waitForCheckpoint(view: LogView, logKey: string, index: number): Promise<Checkpoint & { readonly text: string }> {
  const key = parseVerifierKey(logKey, nodeLogCrypto.sha256)
  if (!key) throw new TypeError('the log has an Ed25519 key')
  for (let waitedMs = 0; waitedMs < checkpointWaitMsMax; waitedMs += checkpointPollMs) {
    const checkpoint = await checkpointOver(view, key, index)
    if (checkpoint) return checkpoint
    await wait(checkpointPollMs)
  }
  throw new Fault('the gateway signs no checkpoint: is its disk full or failing?', 'not-done')
}

/**
 * Places of the data folder that a copy has no use for: the index can be made anew; the keys of tickets are worth five minutes, after which they could only serve a
 * thief. A new place has to be named here or copied below.
 */
type LeftOut = 'adminSocket' | 'logIndex' | 'ticketKeys'

async function* membersOf(
  { folder, view, copyDatabase }: BackupPorts,
  checkpoint: Checkpoint & { readonly text: string },
  cursors: readonly Member[],
): AsyncGenerator<Member> {
  const places: Readonly<Record<Exclude<keyof ReturnType<typeof dataFolder>, LeftOut>, () => AsyncGenerator<Member>>> = {
    sealingKey: () => one('sealing.key', readPrivateBytes(dataFolder(folder).sealingKey)),
    logKey: () => one('log.key', readPrivateBytes(dataFolder(folder).logKey)),
    authority: () => authorityMembers(dataFolder(folder).authority),
    log: async function* () {
      for await (const { path, bytes } of copyLog(view, checkpoint)) yield memberOf(`log/${path}`, bytes)
    },
    logHead: () => one('log.head', Buffer.from(checkpoint.text)),
    exports: async function* () {
      yield* cursors
    },
    // After the log: what it tells to be erased is erased in the copy too, or when that is started.
    payloads: () => payloadMembers(dataFolder(folder).payloads),
    database: () => databaseMember(folder, copyDatabase),
  }
  for (const place of Object.values(places)) yield* place()
}

async function* one(name: string, bytes: Promise<Uint8Array> | Uint8Array): AsyncGenerator<Member> {
  yield memberOf(name, await bytes)
}

/** How far each export has come. */
async function cursorMembers(directory: string): Promise<readonly Member[]> {
  const cursors = (await namesIn(directory)).filter((name) => /^[a-z0-9-]{1,63}\.json$/.test(name)).sort()
  return Promise.all(cursors.map(async (name) => memberOf(`exports/${name}`, await readPrivateBytes(join(directory, name)))))
}

/** What is erased meanwhile is left out. */
async function* payloadMembers(directory: string): AsyncGenerator<Member> {
  for (const name of (await namesIn(directory)).filter((one) => parsePayloadFileName(one)).sort()) {
    let bytes: Uint8Array
    try {
      bytes = await readPrivateBytes(join(directory, name))
    } catch (error) {
      if ((await namesIn(directory)).includes(name)) throw error
      continue
    }
    yield memberOf(`payloads/${name}`, bytes)
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new Fault(`${directory} cannot be read`, 'not-done', error)
  }
}

/** A root that is added or retired meanwhile is read whole or not at all. */
async function* authorityMembers(directory: string): AsyncGenerator<Member> {
  for (let reads = 0; reads < authorityReadsMax; reads += 1) {
    const trust = await readPrivateBytes(join(directory, 'trust.json'))
    const names = (await readdir(directory)).filter((name) => /^root-[A-Za-z0-9_-]{43}\.key$/.test(name)).sort()
    const keys = await Promise.allSettled(names.map(async (name) => memberOf(`ca/${name}`, await readPrivateBytes(join(directory, name)))))
    const failed = keys.find((key) => key.status === 'rejected')
    if (!trust.equals(await readPrivateBytes(join(directory, 'trust.json')))) continue
    if (failed) throw failed.reason
    yield memberOf('ca/trust.json', trust)
    for (const key of keys) if (key.status === 'fulfilled') yield key.value
    return
  }
  throw new Fault('the authority changes faster than it can be read', 'not-done')
}

async function* databaseMember(folder: string, copyDatabase: BackupPorts['copyDatabase']): AsyncGenerator<Member> {
  const temporary = await mkdtemp(join(folder, '.backup-'))
  try {
    const path = join(temporary, 'state.db')
    if (await copyDatabase(path)) yield { name: 'state.db', bytes: (await stat(path)).size, content: createReadStream(path) }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
