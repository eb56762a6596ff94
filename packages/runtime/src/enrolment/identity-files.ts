import { X509Certificate, createHash, createPrivateKey } from 'node:crypto'
import { chmod, lstat, mkdir, readFile, readdir, realpath, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault, parseSpiffeId, type AgentIdentity } from '@sallyport/contract'
import { z } from 'zod'
import { syncFolder, writeDurably } from './durable-file.ts'
import { parseGatewayAddress, type GatewayAddress } from './gateway-address.ts'

/** What an agent has to show, and whom it trusts. The parts always belong together. */
export interface HeldIdentity {
  readonly identity: AgentIdentity
  readonly gateway: GatewayAddress
  readonly keyPem: string
  readonly certificatePem: string
  readonly bundlePem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export interface NewIdentity {
  readonly id: string
  readonly gateway: string
  readonly keyPem: string
  readonly certificatePem: string
  readonly bundlePem: string
}

const files = { key: 'agent.key', certificate: 'agent.crt', bundle: 'bundle.crt', about: 'agent.json' } as const
const about = z.strictObject({ id: z.string(), gateway: z.string() })
const current = 'current'
const history = 'certificates'

/**
 * Puts a new identity in the place of the old one in a single step.
 *
 * Key, certificate and bundle go into a folder of their own, and `current` then points to it: after a crash at any instant a reader finds the old three or the
 * new three, never a key beside another key's certificate. `agent.key`, `agent.crt`, `bundle.crt` and `agent.json` lead there for other programs. The one
 * before is kept for readers that are at it. Durable when it resolves.
 */
export async function writeIdentity(directory: string, identity: NewIdentity): Promise<void> {
  const name = createHash('sha256').update(new X509Certificate(identity.certificatePem).raw).digest('hex')
  const folder = join(directory, history, name)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  await writeDurably(join(folder, files.key), identity.keyPem)
  await writeDurably(join(folder, files.certificate), identity.certificatePem)
  await writeDurably(join(folder, files.bundle), identity.bundlePem)
  await writeDurably(join(folder, files.about), `${JSON.stringify({ id: identity.id, gateway: identity.gateway }, null, 2)}\n`)
  for (const path of [folder, dirname(folder)]) await syncFolder(path)

  const before = await currentFolder(directory)
  await pointTo(join(history, name), directory, current)
  for (const file of Object.values(files)) await pointTo(join(current, file), directory, file)
  await syncFolder(directory)

  const kept = [name, before && basename(before)]
  for (const old of await readdir(join(directory, history))) if (!kept.includes(old)) await rm(join(directory, history, old), { recursive: true })
}

/** Whether there is an identity, usable or not. */
export async function holdsIdentity(directory: string): Promise<boolean> {
  return (await currentFolder(directory)) !== undefined
}

/** @throws Fault when there is no identity, a part is missing or damaged, or the key is open to others */
export async function loadIdentity(directory: string): Promise<HeldIdentity> {
  const folder = await currentFolder(directory)
  if (folder === undefined) throw new Fault(`${directory} holds no identity: enrol first`, 'not-done')
  try {
    await refuseSharedKey(join(folder, files.key))
    const [keyPem, certificatePem, bundlePem, aboutText] = await Promise.all(
      [files.key, files.certificate, files.bundle, files.about].map((file) => readFile(join(folder, file), 'utf8')),
    )
    const { id, gateway } = about.parse(JSON.parse(aboutText ?? ''))
    return parseIdentity({ id, gateway, keyPem: keyPem ?? '', certificatePem: certificatePem ?? '', bundlePem: bundlePem ?? '' })
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`the identity in ${directory} is damaged: enrol again`, 'not-done', error)
  }
}

/** @throws Fault when the parts do not belong together */
export function parseIdentity({ id, gateway, keyPem, certificatePem, bundlePem }: NewIdentity): HeldIdentity {
  const identity = parseSpiffeId(id)
  const address = parseGatewayAddress(gateway)
  const certificate = new X509Certificate(certificatePem)
  const roots = bundlePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (!identity || !address) throw new Fault('the identity names no agent or no gateway', 'not-done')
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new Fault('the certificate belongs to another key', 'not-done')
  if (!roots.some((root) => certificate.verify(new X509Certificate(root).publicKey))) throw new Fault('the certificate is of no root in the bundle', 'not-done')
  return {
    identity,
    gateway: address,
    keyPem,
    certificatePem,
    bundlePem,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  }
}

async function currentFolder(directory: string): Promise<string | undefined> {
  try {
    return await realpath(join(directory, current))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function refuseSharedKey(path: string): Promise<void> {
  const { mode } = await lstat(path)
  if ((mode & 0o077) !== 0) throw new Fault(`${path} is open to others: chmod 600 it, and treat the key as stolen`, 'not-done')
}

async function pointTo(target: string, directory: string, name: string): Promise<void> {
  const unfinished = join(directory, `.${name}.unfinished`)
  await rm(unfinished, { force: true })
  await symlink(target, unfinished)
  await rename(unfinished, join(directory, name))
}
