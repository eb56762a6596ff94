import { createPrivateKey, generateKeyPairSync, hkdfSync } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, type TrustDomain } from '@sallyport/contract'
import { isKeyName } from '@sallyport/contract/log'
import type { KeptCheckpoint } from '../audit/log-files.ts'
import type { LogKey } from '../audit/log-key.ts'
import type { Random } from './authority/sign-certificate.ts'
import { openPrivateFolder, readPrivateFile, writePrivateFile } from './private-files.ts'
import { makeRoots } from './authority/roots.ts'
import type { KeptTicketKeys } from './tickets/ticket-keys.ts'

/** What lies where in the gateway's data folder, which only its owner can enter. */
export function dataFolder(
  folder: string,
): Readonly<
  Record<'authority' | 'log' | 'logKey' | 'logHead' | 'logIndex' | 'exports' | 'payloads' | 'database' | 'sealingKey' | 'ticketKeys' | 'adminSocket', string>
> {
  return {
    authority: join(folder, 'ca'),
    log: join(folder, 'log'),
    logKey: join(folder, 'log.key'),
    logHead: join(folder, 'log.head'),
    logIndex: join(folder, 'log.index'),
    exports: join(folder, 'exports'),
    payloads: join(folder, 'payloads'),
    database: join(folder, 'state.db'),
    sealingKey: join(folder, 'sealing.key'),
    ticketKeys: join(folder, 'ticket.keys'),
    adminSocket: join(folder, 'admin.sock'),
  }
}

/** Makes what is missing of the folder; safe to repeat. The log is that of `logName` in the trust domain, `sallyport` if none is named. @throws Fault */
export async function makeDataFolder(
  folder: string,
  trustDomain: TrustDomain,
  logName: string | undefined,
  ports: { readonly now: number; readonly random: Random; readonly createSealingKey: (path: string) => Promise<unknown> },
): Promise<void> {
  const places = dataFolder(folder)
  await openPrivateFolder(folder)
  await makeRoots(places.authority, trustDomain, ports.now, ports.random)
  await ports.createSealingKey(places.sealingKey)
  await makeLogKey(folder, trustDomain, logName)
}

async function makeLogKey(folder: string, trustDomain: TrustDomain, logName: string | undefined): Promise<void> {
  if (!(await isThere(dataFolder(folder).logKey))) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    return writePrivateFile(folder, 'log.key', `Log: ${trustDomain}/${logName ?? 'sallyport'}\n${pem}`)
  }
  const { origin } = await readLogKey(folder)
  if (logName !== undefined && origin !== `${trustDomain}/${logName}`)
    throw new Fault(`the log of this folder is named ${origin} already, and keeps its name`, 'not-done')
}

/** The key and what it signs for, in one file, so that they are copied and restored together. @throws Fault when it is missing, damaged or readable by others */
export async function readLogKey(folder: string): Promise<LogKey> {
  const text = await readPrivateFile(dataFolder(folder).logKey)
  const origin = /^Log: (.*)\n/.exec(text)?.[1]
  if (origin === undefined || !isKeyName(origin))
    throw new Fault('log.key does not begin with the name of its log, as in "Log: agents.example.com/sallyport"', 'not-done')
  try {
    return { privateKey: createPrivateKey(text), origin }
  } catch (error) {
    throw new Fault('log.key is not a private key in PEM', 'not-done', error)
  }
}

/** Keeps the log's newest checkpoint in the data folder, beside the log's own. */
export function keptCheckpoint(folder: string): KeptCheckpoint {
  return {
    read: async () => {
      return (await isThere(dataFolder(folder).logHead)) ? readPrivateFile(dataFolder(folder).logHead) : undefined
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
      if (!(await isThere(dataFolder(folder).ticketKeys))) return undefined
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

/** @throws Fault when that cannot be told: a file that is there and cannot be seen must not pass for none */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw new Fault(`${path} cannot be looked for`, 'not-done', error)
  }
}

/** One key for one purpose, so that no two uses of the sealing key ever meet. @see RFC 5869 */
export function deriveKey(
  sealingKey: Uint8Array,
  purpose:
    'call-digest' | 'enrolment-tokens' | 'journal' | 'payload-digests' | 'payload-keys' | 'provider-credentials' | 'session' | 'session-store' | 'ticket-keys',
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', sealingKey, Buffer.alloc(0), `sallyport ${purpose} v1`, 32))
}
