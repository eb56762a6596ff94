import { X509Certificate, createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Fault } from '@sallyport/contract'
import type { TlsFiles } from '../../forward/upstream-definition.ts'

/** What of TLS the configuration names files for. @throws Fault when one cannot be read, or holds no certificates where these are asked for */
export async function tlsFiles(
  tls: { ca?: string | undefined; certificate?: string | undefined; key?: string | undefined } | undefined,
  files: NamedFiles,
): Promise<TlsFiles> {
  return {
    ...(tls?.ca !== undefined && { ca: certificatesOf(tls.ca, await files.read(tls.ca)) }),
    ...(tls?.certificate !== undefined && { certificate: await files.read(tls.certificate) }),
    ...(tls?.key !== undefined && { key: await files.read(tls.key) }),
  }
}

/** Node takes a `ca` without any certificate, or with one that it cannot read, in silence, and would then trust nobody. */
function certificatesOf(file: string, pem: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Fault(`${file} is not a PEM file of certificates: there is none in it`, 'not-done')
  try {
    for (const block of blocks) new X509Certificate(block)
  } catch (error) {
    throw new Fault(`${file} is not a PEM file of certificates: one of them cannot be read`, 'not-done', error)
  }
  return pem
}

/** The files that a configuration names. What was read is what the revision stands for. */
export class NamedFiles {
  readonly folder: string
  readonly #digests = new Map<string, string>()

  constructor(folder: string) {
    this.folder = folder
  }

  /** SHA-256 in base64url, by the name that the configuration gives. */
  get digests(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#digests)
  }

  /** @throws Fault when it cannot be read */
  async read(file: string): Promise<string> {
    try {
      const bytes = await readFile(resolve(this.folder, file))
      this.#digests.set(file, createHash('sha256').update(bytes).digest('base64url'))
      return bytes.toString('utf8')
    } catch (error) {
      throw new Fault(`${file} cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`, 'not-done', error)
    }
  }
}
