import { createPrivateKey, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, type TrustDomain } from '@sallyport/contract'
import type { KeptCheckpoint } from '../audit/log-files.ts'
import type { Random } from './authority/sign-certificate.ts'
import { openPrivateFolder, readPrivateFile, writePrivateFile } from './private-files.ts'
import { makeRoots } from './authority/roots.ts'
import type { KeptTicketKeys } from './tickets/ticket-keys.ts'

/** What lies where in the gateway's data folder, which only its owner can enter. */
export function dataFolder(
  folder: string,
): Readonly<
  Record<
    'authority' | 'log' | 'logKey' | 'logHead' | 'logIndex' | 'logPruned' | 'archive' | 'exports' | 'database' | 'sealingKey' | 'ticketKeys' | 'adminSocket',
    string
  >
> {
  return {
    authority: join(folder, 'ca'),
    log: join(folder, 'log'),
    logKey: join(folder, 'log.key'),
    logHead: join(folder, 'log.head'),
    logIndex: join(folder, 'log.index'),
    logPruned: join(folder, 'log.pruned'),
    archive: join(folder, 'archive'),
    exports: join(folder, 'exports'),
    database: join(folder, 'state.db'),
    sealingKey: join(folder, 'sealing.key'),
    ticketKeys: join(folder, 'ticket.keys'),
    adminSocket: join(folder, 'admin.sock'),
  }
}

/** Makes what is missing of the folder; safe to repeat. @throws Fault */
export async function makeDataFolder(
  folder: string,
  trustDomain: TrustDomain,
  ports: { readonly now: number; readonly random: Random; readonly createSealingKey: (path: string) => Promise<unknown> },
): Promise<void> {
  const places = dataFolder(folder)
  await openPrivateFolder(folder)
  await makeRoots(places.authority, trustDomain, ports.now, ports.random)
  await ports.createSealingKey(places.sealingKey)
  const isThere = await access(places.logKey).then(
    () => true,
    () => false,
  )
  if (!isThere) await writePrivateFile(folder, 'log.key', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}

/** @throws Fault when the key is missing, damaged or readable by others */
export async function readLogKey(folder: string): Promise<KeyObject> {
  const pem = await readPrivateFile(dataFolder(folder).logKey)
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new Fault('log.key is not a private key in PEM', 'not-done', error)
  }
}

/** Keeps the log's newest checkpoint in the data folder, beside the log's own. */
export function keptCheckpoint(folder: string): KeptCheckpoint {
  return {
    read: async () => {
      try {
        await access(dataFolder(folder).logHead)
      } catch {
        return undefined
      }
      return readPrivateFile(dataFolder(folder).logHead)
    },
    keep: async (note) => {
      try {
        await writePrivateFile(folder, 'log.head', note)
      } catch (error) {
        throw new Fault('log.head, the kept checkpoint of the log, cannot be written', 'unknown', error)
      }
    },
  }
}

/** Keeps the keys that sign tickets in the data folder, sealed, since the folder may lie in a copy somewhere. */
export function keptTicketKeys(folder: string, seal: (text: string) => Uint8Array, open: (sealed: Uint8Array) => string): KeptTicketKeys {
  return {
    read: async () => {
      try {
        await access(dataFolder(folder).ticketKeys)
      } catch {
        return undefined
      }
      const sealed = Buffer.from(await readPrivateFile(dataFolder(folder).ticketKeys), 'base64')
      try {
        return open(sealed)
      } catch (error) {
        throw new Fault('ticket.keys was altered, or sealed with another key: delete it, and agents get new tickets', 'not-done', error)
      }
    },
    keep: async (text) => {
      try {
        await writePrivateFile(folder, 'ticket.keys', Buffer.from(seal(text)).toString('base64'))
        return 'kept'
      } catch (error) {
        throw new Fault('ticket.keys, the keys that sign tickets, cannot be written', 'unknown', error)
      }
    },
  }
}

/** One key for one purpose, so that no two uses of the sealing key ever meet. @see RFC 5869 */
export function deriveKey(
  sealingKey: Uint8Array,
  purpose: 'call-digest' | 'enrolment-tokens' | 'journal' | 'pruned-log' | 'provider-credentials' | 'session' | 'session-store' | 'ticket-keys',
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', sealingKey, Buffer.alloc(0), `sallyport ${purpose} v1`, 32))
}
