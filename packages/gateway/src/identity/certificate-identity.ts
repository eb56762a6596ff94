import { createHash } from 'node:crypto'
import { parseSpiffeId, parseThumbprint, refused, type AgentIdentity, type Refused, type Thumbprint } from '@sallyport/contract'
import {
  DerError,
  contentOf,
  derTag,
  membersOf,
  readBitString,
  readBoolean,
  readDer,
  readNamedBits,
  readObjectIdentifier,
  readTime,
  type DerElement,
} from './der.ts'

/** What a certificate says about its holder. That it is genuine is the work of the TLS handshake; whether it still counts is asked on every request. */
export interface CertificateIdentity {
  readonly kind: 'certificate'
  readonly identity: AgentIdentity
  /** Both ends belong to the validity period. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly thumbprint: Thumbprint
  readonly keyAlgorithm: 'P-256' | 'Ed25519'
}

/** The agents' certificates have under 1 KiB. */
export const certificateBytesMax = 16_384

/** @see RFC 8705 section 3.1 */
export function thumbprintOf(certificate: Uint8Array): Thumbprint {
  const thumbprint = parseThumbprint(createHash('sha256').update(certificate).digest('base64url'))
  if (!thumbprint) throw new TypeError('a SHA-256 digest is always a thumbprint')
  return thumbprint
}

/**
 * Reads the agent's identity from the certificate's own bytes: never from the subject's CN, and never from Node's `subjectaltname`, which is text for display
 * into which a DNS entry can write `, URI:spiffe://...` (CVE-2021-44532).
 *
 * Refuses as `identity.certificate-invalid` everything but a version 3 leaf in strict DER whose subject alternative name is exactly one URI that is the
 * canonical SPIFFE id of an agent, that is no authority, may sign (and sign no certificates or lists), may authenticate a client, and holds a P-256 or
 * Ed25519 key.
 *
 * @see SPIFFE X509-SVID sections 2 to 4
 * @see RFC 5280 section 4
 */
export function readCertificate(certificate: Uint8Array): CertificateIdentity | Refused {
  if (certificate.length > certificateBytesMax) return invalid('larger than any certificate of an agent')
  try {
    return readLeaf(certificate)
  } catch (error) {
    if (error instanceof DerError) return invalid(error.message)
    throw error
  }
}

function invalid(reason: string): Refused {
  return refused('identity.certificate-invalid', reason)
}

const versionThree = '020102'
const oid = {
  ecPublicKey: '2a8648ce3d0201',
  p256: '2a8648ce3d030107',
  ed25519: '2b6570',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  extendedKeyUsage: '551d25',
  subjectKeyIdentifier: '551d0e',
  authorityKeyIdentifier: '551d23',
  clientAuth: '2b06010505070302',
} as const

const keyUsageBit = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const

/** `[6] uniformResourceIdentifier` and `[0] version`, `[3] extensions` as they are tagged. */
const uriTag = 0x86
const versionTag = 0xa0
const extensionsTag = 0xa3

function readLeaf(certificate: Uint8Array): CertificateIdentity | Refused {
  const [tbs, outerAlgorithm, signature, ...rest] = membersOf(readDer(certificate), derTag.sequence)
  if (!tbs || !outerAlgorithm || rest.length > 0) return invalid('not the three parts of a certificate')
  contentOf(outerAlgorithm, derTag.sequence)
  readBitString(signature)

  const members = membersOf(tbs, derTag.sequence)
  const [version, serial, innerAlgorithm, issuer, validity, subject, publicKey, extensions] = members
  if (members.length !== 8 || !innerAlgorithm || !validity || !publicKey || !extensions) return invalid('not the eight parts of a version 3 certificate')
  if (hex(contentOf(version, versionTag)) !== versionThree) return invalid('not a version 3 certificate')
  contentOf(serial, derTag.integer)
  contentOf(issuer, derTag.sequence)
  contentOf(subject, derTag.sequence)
  if (hex(contentOf(innerAlgorithm, derTag.sequence)) !== hex(outerAlgorithm.content)) return invalid('two different signature algorithms')

  const [notBefore, notAfter, ...others] = membersOf(validity, derTag.sequence)
  if (others.length > 0) return invalid('more than two dates')
  const notBeforeMs = readTime(notBefore)
  const notAfterMs = readTime(notAfter)
  const keyAlgorithm = readKeyAlgorithm(publicKey)
  if (!keyAlgorithm) return invalid('the key is neither P-256 nor Ed25519')

  const identity = readExtensions(extensions)
  if ('kind' in identity) return identity
  return { kind: 'certificate', identity, notBeforeMs, notAfterMs, thumbprint: thumbprintOf(certificate), keyAlgorithm }
}

function readKeyAlgorithm(element: DerElement): CertificateIdentity['keyAlgorithm'] | undefined {
  const [algorithm, bits, ...rest] = membersOf(element, derTag.sequence)
  if (!algorithm || rest.length > 0) return undefined
  const [name, parameters, ...others] = membersOf(algorithm, derTag.sequence)
  const key = readBitString(bits)
  if (others.length > 0) return undefined
  switch (readObjectIdentifier(name)) {
    case oid.ecPublicKey:
      return readObjectIdentifier(parameters) === oid.p256 && key.length === 65 && key[0] === 0x04 ? 'P-256' : undefined
    case oid.ed25519:
      return parameters === undefined && key.length === 32 ? 'Ed25519' : undefined
    default:
      return undefined
  }
}

function readExtensions(element: DerElement): AgentIdentity | Refused {
  const byId = new Map<string, DerElement>()
  for (const extension of membersOf(readDer(contentOf(element, extensionsTag)), derTag.sequence)) {
    const { id, isCritical, value } = readExtension(extension)
    if (byId.has(id)) return invalid(`extension ${id} comes twice`)
    if (isCritical && !knownExtensions.has(id)) return invalid(`unknown critical extension ${id}`)
    byId.set(id, readDer(value))
  }
  const names = byId.get(oid.subjectAltName)
  if (!names) return invalid('no subject alternative name')
  return faultOfUse(byId) ?? readAgentName(names)
}

const knownExtensions: ReadonlySet<string> = new Set([
  oid.subjectAltName,
  oid.basicConstraints,
  oid.keyUsage,
  oid.extendedKeyUsage,
  oid.subjectKeyIdentifier,
  oid.authorityKeyIdentifier,
])

function readExtension(element: DerElement): { readonly id: string; readonly isCritical: boolean; readonly value: Uint8Array } {
  const members = membersOf(element, derTag.sequence)
  const id = readObjectIdentifier(members[0])
  const critical = members.length === 3 ? members[1] : undefined
  // DER leaves a default out: an explicit FALSE is a second spelling of the same extension.
  if (critical && !readBoolean(critical)) throw new DerError('an explicit default')
  if (members.length < 2 || members.length > 3) throw new DerError('a malformed extension')
  return { id, isCritical: critical !== undefined, value: contentOf(members.at(-1), derTag.octetString) }
}

/** What the key may be used for, or why it may not authenticate an agent. */
function faultOfUse(byId: ReadonlyMap<string, DerElement>): Refused | undefined {
  const constraints = byId.get(oid.basicConstraints)
  if (constraints && contentOf(constraints, derTag.sequence).length > 0) return invalid('a certificate authority is no agent')

  const keyUsage = byId.get(oid.keyUsage)
  if (!keyUsage) return invalid('no key usage')
  const bits = readNamedBits(keyUsage)
  if ((bits & keyUsageBit.digitalSignature) === 0) return invalid('the key may not sign')
  if ((bits & (keyUsageBit.keyCertSign | keyUsageBit.crlSign)) !== 0) return invalid('the key may sign certificates or revocation lists')

  const purposes = byId.get(oid.extendedKeyUsage)
  if (purposes && !membersOf(purposes, derTag.sequence).some((purpose) => readObjectIdentifier(purpose) === oid.clientAuth)) {
    return invalid('the key may not authenticate a client')
  }
  return undefined
}

/** Exactly one name, and it is a URI: with two, each reader of the log or the rules could believe another one. */
function readAgentName(element: DerElement): AgentIdentity | Refused {
  const [name, ...others] = membersOf(element, derTag.sequence)
  if (name?.tag !== uriTag || others.length > 0) return invalid('the subject alternative name is not exactly one URI')
  // latin1 maps every byte to one character, so no byte above 0x7e can turn into something that the pattern of names accepts.
  const identity = parseSpiffeId(Buffer.from(name.content).toString('latin1'))
  return identity ?? invalid('the URI is not the SPIFFE id of an agent')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
