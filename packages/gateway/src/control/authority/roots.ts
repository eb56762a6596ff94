import { X509Certificate, createPrivateKey } from 'node:crypto'
import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, parseTrustDomain, type Thumbprint, type TrustDomain } from '@sallyport/contract'
import { z } from 'zod'
import { thumbprintOf } from '../../identity/certificate-identity.ts'
import { openPrivateFolder, readPrivateFile, writePrivateFile } from '../private-files.ts'
import { openSigner, makeRoot, type Random, type Signer } from './sign-certificate.ts'

export interface Root extends Signer {
  readonly fingerprint: Thumbprint
  readonly pem: string
  readonly notAfterMs: number
}

/** The newest signs agents; each older one only waits until no certificate of its own counts any more. */
export const rootsMax = 4

const trustFile = 'trust.json'
const trust = z.strictObject({
  version: z.literal(1),
  trustDomain: z.string(),
  roots: z.array(z.string().max(8192)).min(1).max(rootsMax).meta({ description: 'Certificates in PEM, oldest first' }),
})

/** @throws Fault when the folder was made for another trust domain than the configuration names; nothing is said of a folder that cannot be read */
export async function refuseOtherTrustDomain(directory: string, named: TrustDomain): Promise<void> {
  const made = await readPrivateFile(join(directory, trustFile)).then(
    (text) => trust.safeParse(JSON.parse(text)).data?.trustDomain,
    () => undefined,
  )
  if (made !== undefined && made !== named)
    throw new Fault(`trustDomain is ${named}, but the data folder was made for ${made}: correct the configuration, or give another data folder`, 'not-done')
}

/**
 * The trusted roots of the trust domain with their keys, in a folder that belongs to the gateway alone: `trust.json` names the roots, `root-<fingerprint>.key`
 * holds each key with mode 0600.
 *
 * A change replaces `trust.json` in one step after the new key is on disk: a crash leaves the old trust or the new, and at worst a key that no one trusts.
 */
export class Roots {
  readonly trustDomain: TrustDomain
  readonly #directory: string
  readonly #random: Random
  #trusted: readonly Root[]

  constructor(directory: string, trustDomain: TrustDomain, trusted: readonly Root[], random: Random) {
    this.#directory = directory
    this.trustDomain = trustDomain
    this.#trusted = trusted
    this.#random = random
  }

  /** Oldest first, never empty. */
  get trusted(): readonly Root[] {
    return this.#trusted
  }

  /** Signs agents. */
  get newest(): Root {
    return this.#trusted.at(-1) ?? neverEmpty()
  }

  /** Signs the gateway's own certificate: an agent that has not renewed since a rotation knows no newer one. */
  get oldest(): Root {
    return this.#trusted[0] ?? neverEmpty()
  }

  async add(nowMs: number): Promise<Root> {
    const root = await newRoot(this.#directory, this.trustDomain, nowMs, this.#random)
    await this.#replace([...this.#trusted, root])
    return root
  }

  async retire(fingerprint: Thumbprint): Promise<void> {
    const kept = this.#trusted.filter((root) => root.fingerprint !== fingerprint)
    if (kept.length === 0) throw new TypeError('the last root cannot be retired')
    await this.#replace(kept)
  }

  /** Trusts a new root and nothing else. */
  async startOver(nowMs: number): Promise<Root> {
    const root = await newRoot(this.#directory, this.trustDomain, nowMs, this.#random)
    await this.#replace([root])
    return root
  }

  async #replace(roots: readonly Root[]): Promise<void> {
    const gone = this.#trusted.filter((root) => !roots.includes(root))
    await writeTrust(this.#directory, this.trustDomain, roots)
    this.#trusted = roots
    for (const { fingerprint } of gone) await rm(keyPath(this.#directory, fingerprint), { force: true })
  }
}

/** Makes the trust domain with its first root, or opens the one that is there: safe to repeat. @throws Fault when another trust domain lives in the folder */
export async function makeRoots(directory: string, trustDomain: TrustDomain, nowMs: number, random: Random): Promise<Roots> {
  await openPrivateFolder(directory)
  if (await isMade(directory)) {
    const roots = await openRoots(directory, random)
    if (roots.trustDomain === trustDomain) return roots
    throw new Fault(`${directory} already holds the trust domain ${roots.trustDomain}: a trust domain cannot be renamed`, 'not-done')
  }
  return startRoots(directory, trustDomain, nowMs, random)
}

/** @throws Fault when a file is missing, malformed, open to others, or a key does not belong to its root */
export async function openRoots(directory: string, random: Random): Promise<Roots> {
  await openPrivateFolder(directory)
  const { trustDomain, roots } = parseTrust(directory, await readPrivateFile(join(directory, trustFile)))
  return new Roots(directory, trustDomain, await Promise.all(roots.map((pem) => openRoot(directory, pem))), random)
}

/** Starts over without reading what is there: for a folder whose keys are lost or damaged. Whatever was trusted before is not any more. */
export async function startRoots(directory: string, trustDomain: TrustDomain, nowMs: number, random: Random): Promise<Roots> {
  await openPrivateFolder(directory)
  const root = await newRoot(directory, trustDomain, nowMs, random)
  await writeTrust(directory, trustDomain, [root])
  return new Roots(directory, trustDomain, [root], random)
}

async function newRoot(directory: string, trustDomain: TrustDomain, nowMs: number, random: Random): Promise<Root> {
  const { certificatePem, keyPem } = await makeRoot(trustDomain, nowMs, random)
  await writePrivateFile(directory, keyName(fingerprintOf(certificatePem)), keyPem)
  return openRoot(directory, certificatePem)
}

async function openRoot(directory: string, pem: string): Promise<Root> {
  const fingerprint = fingerprintOf(pem)
  const path = keyPath(directory, fingerprint)
  const keyPem = await readPrivateFile(path)
  if (!isKeyOf(pem, keyPem)) throw new Fault(`${path} is not the private key of its root`, 'not-done')
  const signer = await openSigner(pem, keyPem)
  return { ...signer, fingerprint, pem, notAfterMs: signer.certificate.notAfter.getTime() }
}

async function writeTrust(directory: string, trustDomain: TrustDomain, roots: readonly Root[]): Promise<void> {
  const content: z.infer<typeof trust> = { version: 1, trustDomain, roots: roots.map(({ pem }) => pem) }
  await writePrivateFile(directory, trustFile, `${JSON.stringify(content, null, 2)}\n`)
}

function parseTrust(directory: string, text: string): { readonly trustDomain: TrustDomain; readonly roots: readonly string[] } {
  try {
    const { trustDomain: domainText, roots } = trust.parse(JSON.parse(text))
    const trustDomain = parseTrustDomain(domainText)
    if (trustDomain) return { trustDomain, roots }
  } catch (error) {
    throw new Fault(`${join(directory, trustFile)} is damaged: restore a backup, or recover the authority`, 'not-done', error)
  }
  throw new Fault(`${join(directory, trustFile)} names no trust domain`, 'not-done')
}

async function isMade(directory: string): Promise<boolean> {
  try {
    await access(join(directory, trustFile))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

function fingerprintOf(pem: string): Thumbprint {
  return thumbprintOf(new X509Certificate(pem).raw)
}

function isKeyOf(pem: string, keyPem: string): boolean {
  try {
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(keyPem))
  } catch {
    return false // not a key at all
  }
}

function keyName(fingerprint: Thumbprint): string {
  return `root-${fingerprint}.key`
}

function keyPath(directory: string, fingerprint: Thumbprint): string {
  return join(directory, keyName(fingerprint))
}

function neverEmpty(): never {
  throw new TypeError('there is always a root')
}
