import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { nameConstraints } from './name-constraints.ts'

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const
export const authorityLifetimeMs = 365 * 24 * 3_600_000
export const leafLifetimeMs = 24 * 3_600_000
const clockSkewMs = 60_000
/** Names that one authority is made for. */
export const hostsMax = 256

export type RandomBytes = (count: number) => Uint8Array

export interface KeyAndCertificate {
  /** PKCS #8 in PEM. */
  readonly key: string
  readonly cert: string
}

/** An authority for these hosts and nothing else. What it signs can sign nothing. */
export async function makeAuthority(hosts: readonly string[], nowMs: number, random: RandomBytes): Promise<KeyAndCertificate> {
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const serialNumber = newSerial(random)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: [{ CN: [`Sallyport bridge ${serialNumber.slice(2, 10)}`] }],
    notBefore: new Date(nowMs - clockSkewMs),
    notAfter: new Date(nowMs + authorityLifetimeMs),
    signingAlgorithm: signing,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      nameConstraints(hosts),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { key: await pemOfKey(keys.privateKey), cert: `${certificate.toString('pem')}\n` }
}

/** A certificate for one host over a key of its own. */
export async function signLeaf(authority: KeyAndCertificate, host: string, nowMs: number, random: RandomBytes): Promise<KeyAndCertificate> {
  const root = new X509Certificate(authority.cert)
  const der = Buffer.from(authority.key.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(random),
    subject: [],
    issuer: root.subjectName,
    notBefore: new Date(Math.max(nowMs - clockSkewMs, root.notBefore.getTime())),
    notAfter: new Date(Math.min(nowMs + leafLifetimeMs, root.notAfter.getTime())),
    signingAlgorithm: signing,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der, p256, false, ['sign']),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: host }], true),
      await AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  })
  return { key: await pemOfKey(keys.privateKey), cert: `${certificate.toString('pem')}\n` }
}

function newSerial(random: RandomBytes): string {
  return `01${Buffer.from(random(16)).toString('hex')}`
}

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`
}
