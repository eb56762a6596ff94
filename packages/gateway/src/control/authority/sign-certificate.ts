import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
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
  type Extension,
} from '@peculiar/x509'
import { ticketAudience, type SpiffeId, type Thumbprint, type TrustDomain } from '@sallyport/contract'
import { thumbprintOf } from '../../identity/certificate-identity.ts'

/** A certificate that was just signed. */
export interface SignedCertificate {
  readonly pem: string
  readonly thumbprint: Thumbprint
  readonly notAfterMs: number
}

/** A root with its key in hand. */
export interface Signer {
  readonly certificate: X509Certificate
  readonly privateKey: webcrypto.CryptoKey
}

export type Random = (bytes: number) => Uint8Array

const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const
const rootLifetimeMs = 5 * 365 * 24 * 3_600_000
/** A certificate is valid a little before it was made, for hosts whose clocks are behind. */
const clockSkewMs = 60_000

/** A new root. It signs leaves only: with path length 0 a certificate that it signs can never sign another. The private key is PKCS #8 in PEM. */
export async function makeRoot(trustDomain: TrustDomain, nowMs: number, random: Random): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const serialNumber = newSerial(random)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // The serial keeps the names of two roots apart, so that a verifier never tries one root's key for the other's certificates.
    name: [{ O: [trustDomain] }, { CN: [`Sallyport root ${serialNumber.slice(2, 10)}`] }],
    notBefore: wholeSecond(nowMs - clockSkewMs),
    notAfter: wholeSecond(nowMs + rootLifetimeMs),
    signingAlgorithm: signing,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificatePem: pemOf(certificate), keyPem: await privateKeyPem(keys.privateKey) }
}

/**
 * An agent's certificate: one URI and nothing else that names anyone. The agent shows it as a client, and as a server to the gateway that brings it calls of other
 * agents; it names no host, so whoever looks for a host by its name never takes it for one.
 *
 * @see SPIFFE X509-SVID section 4
 */
export function signAgent(
  signer: Signer,
  id: SpiffeId,
  publicKey: webcrypto.CryptoKey,
  lifetimeMs: number,
  nowMs: number,
  random: Random,
): Promise<SignedCertificate> {
  const names = new SubjectAlternativeNameExtension([{ type: 'url', value: id }], true)
  return signLeaf(signer, names, [ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth], publicKey, lifetimeMs, nowMs, random)
}

/** What a gateway of this trust domain shows to agents whom it brings a call, over a fresh key. Its name is no agent's. @see ticketAudience */
export async function signCaller(
  signer: Signer,
  trustDomain: TrustDomain,
  lifetimeMs: number,
  nowMs: number,
  random: Random,
): Promise<SignedCertificate & { readonly keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const names = new SubjectAlternativeNameExtension([{ type: 'url', value: ticketAudience(trustDomain) }], true)
  const signed = await signLeaf(signer, names, [ExtendedKeyUsage.clientAuth], keys.publicKey, lifetimeMs, nowMs, random)
  return { ...signed, keyPem: await privateKeyPem(keys.privateKey) }
}

/** The gateway's own certificate over a fresh key. Not for clients: it cannot be used to pose as an agent. */
export async function signServer(
  signer: Signer,
  names: readonly string[],
  lifetimeMs: number,
  nowMs: number,
  random: Random,
): Promise<SignedCertificate & { readonly keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const extension = new SubjectAlternativeNameExtension(
    names.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name })),
    true,
  )
  const signed = await signLeaf(signer, extension, [ExtendedKeyUsage.serverAuth], keys.publicKey, lifetimeMs, nowMs, random)
  return { ...signed, keyPem: await privateKeyPem(keys.privateKey) }
}

export async function openSigner(certificatePem: string, keyPem: string): Promise<Signer> {
  const der = Buffer.from(keyPem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  return { certificate: new X509Certificate(certificatePem), privateKey: await webcrypto.subtle.importKey('pkcs8', der, p256, false, ['sign']) }
}

async function signLeaf(
  { certificate: root, privateKey }: Signer,
  names: Extension,
  purposes: ExtendedKeyUsage[],
  publicKey: webcrypto.CryptoKey,
  lifetimeMs: number,
  nowMs: number,
  random: Random,
): Promise<SignedCertificate> {
  // Never longer than the root, or the certificate would outlive what vouches for it.
  const notAfter = wholeSecond(Math.min(nowMs + lifetimeMs, root.notAfter.getTime()))
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(random),
    subject: [],
    issuer: root.subjectName,
    notBefore: wholeSecond(Math.max(nowMs - clockSkewMs, root.notBefore.getTime())),
    notAfter,
    signingAlgorithm: signing,
    publicKey,
    signingKey: privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(purposes),
      names,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  })
  return { pem: pemOf(certificate), thumbprint: thumbprintOf(new Uint8Array(certificate.rawData)), notAfterMs: notAfter.getTime() }
}

/** 128 random bits behind a byte that keeps the number positive and its length fixed. */
function newSerial(random: Random): string {
  return `01${Buffer.from(random(16)).toString('hex')}`
}

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000)
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`
}
