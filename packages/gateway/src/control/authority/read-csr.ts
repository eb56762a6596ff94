import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequest } from '@peculiar/x509'

/** A request over a P-256 key without attributes has about 400. */
export const csrCharactersMax = 4096

const pem = /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/
const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

export type CsrKey = { readonly kind: 'key'; readonly publicKey: webcrypto.CryptoKey } | { readonly kind: 'unusable'; readonly reason: string }

/**
 * Takes the public key from a certificate signing request after the proof that the sender holds its private key. Nothing else is taken: names and extensions
 * that a request asks for are not even looked at.
 *
 * @see RFC 2986 section 4.2
 */
export async function readCsr(csrPem: string): Promise<CsrKey> {
  if (csrPem.length > csrCharactersMax) return unusable('larger than any honest request')
  const [, base64] = pem.exec(csrPem) ?? []
  if (base64 === undefined) return unusable('not a request in PEM')
  try {
    const request = new Pkcs10CertificateRequest(Buffer.from(base64, 'base64'))
    const { hash } = request.signatureAlgorithm
    if (hash.name !== 'SHA-256') return unusable('not signed over SHA-256')
    // Importing as P-256 refuses every other kind of key, and points that are not on the curve.
    const publicKey = await webcrypto.subtle.importKey('spki', request.publicKey.rawData, p256, true, ['verify'])
    if (!(await request.verify())) return unusable('without proof of possession of the key')
    return { kind: 'key', publicKey }
  } catch (error) {
    return unusable(`malformed: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

function unusable(reason: string): CsrKey {
  return { kind: 'unusable', reason: `certificate signing request ${reason}` }
}
