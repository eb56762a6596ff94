import { createPrivateKey, X509Certificate } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'
import type { KeyAndCertificate } from './authority.ts'

/** Longest file that is read. */
const fileBytesMax = 65_536

/** The authority beside an agent's identity: its key for the owner alone, its certificate for the programs that are to trust it. */
export interface KeptAuthority extends KeyAndCertificate {
  readonly notAfterMs: number
  /** Those that it may speak for, as its name constraints say; sorted. */
  readonly hosts: readonly string[]
}

export function interceptionPlaces(directory: string): { readonly key: string; readonly certificate: string; readonly hosts: string } {
  return { key: join(directory, 'intercept.key'), certificate: join(directory, 'intercept.crt'), hosts: join(directory, 'intercept.hosts') }
}

/** Undefined where none was made. @throws Fault when the key is open to others, or the files do not belong together */
export async function readAuthority(directory: string): Promise<KeptAuthority | undefined> {
  const places = interceptionPlaces(directory)
  const [key, cert, hosts] = await Promise.all([readOwn(places.key, 0o077), readOwn(places.certificate, 0o022), readOwn(places.hosts, 0o022)])
  if (key === undefined && cert === undefined) return undefined
  const damaged = (cause?: unknown): Fault =>
    new Fault(`${places.key} and what belongs to it are damaged: run "sallyport connect trust --new"`, 'not-done', cause)
  if (key === undefined || cert === undefined || hosts === undefined) throw damaged()
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(cert)
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new TypeError('the key is of another certificate')
  } catch (error) {
    throw damaged(error)
  }
  return { key, cert, notAfterMs: certificate.validToDate.getTime(), hosts: hosts.trim().split('\n') }
}

/** Keeps an authority in the place of an earlier one. Whoever is stopped in between has files that do not belong together, which `readAuthority` says. @throws Fault */
export async function keepAuthority(directory: string, { key, cert }: KeyAndCertificate, hosts: readonly string[]): Promise<void> {
  const places = interceptionPlaces(directory)
  try {
    await replace(places.key, key, 0o600)
    await replace(places.hosts, `${hosts.join('\n')}\n`, 0o644)
    await replace(places.certificate, cert, 0o644)
  } catch (error) {
    throw new Fault(`${directory} cannot be written`, 'not-done', error)
  }
}

/** Resolves with whether there was one. */
export async function forgetAuthority(directory: string): Promise<boolean> {
  const there = await readOwn(interceptionPlaces(directory).certificate, 0)
  for (const path of Object.values(interceptionPlaces(directory))) await rm(path, { force: true })
  return there !== undefined
}

async function replace(path: string, content: string, mode: number): Promise<void> {
  const unfinished = `${path}.unfinished`
  await rm(unfinished, { force: true })
  const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
}

/** @param forbidden bits of the mode that others must not have */
async function readOwn(path: string, forbidden: number): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  })
  if (!file) return undefined
  try {
    const { mode, size } = await file.stat()
    if ((mode & forbidden) !== 0) throw new Fault(`${path} is open to others: run "sallyport connect trust --new", and trust the old one no more`, 'not-done')
    if (size > fileBytesMax) throw new Fault(`${path} is too large to be what it should be`, 'not-done')
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
