import 'reflect-metadata'
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import fc from 'fast-check'
import { readCertificate, thumbprintOf } from './certificate-identity.ts'

const id = 'spiffe://agents.test/tenant/acme/agent/invoice-bot'
const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
const signing = { name: 'ECDSA', hash: 'SHA-256' }

const extensions = {
  constraints: new BasicConstraintsExtension(false, undefined, true),
  keyUsage: new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
  purposes: new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
  name: new SubjectAlternativeNameExtension([{ type: 'url', value: id }], true),
}
type Part = keyof typeof extensions

async function certificateWith(
  changed: Partial<Record<Part, Extension | undefined>> = {},
  more: Extension[] = [],
  algorithm: EcKeyGenParams = p256,
): Promise<Uint8Array> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '0102',
    name: 'CN=x',
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2052-01-02T00:00:00Z'),
    keys,
    signingAlgorithm: algorithm.name === 'Ed25519' ? { name: 'Ed25519' } : signing,
    extensions: [...Object.values({ ...extensions, ...changed }).filter((extension) => extension !== undefined), ...more],
  })
  return new Uint8Array(certificate.rawData)
}

interface EcKeyGenParams {
  readonly name: string
  readonly namedCurve?: string
}

test('reads an agent, with the dates and thumbprint of the certificate', async () => {
  const der = await certificateWith()
  const read = readCertificate(der)
  assert.ok(read.kind === 'certificate')
  assert.equal(read.identity.id, id)
  assert.equal(read.identity.tenant, 'acme')
  assert.equal(read.notBeforeMs, Date.UTC(2026, 0, 1))
  assert.equal(read.notAfterMs, Date.UTC(2052, 0, 2))
  assert.equal(read.thumbprint, thumbprintOf(der))
  assert.equal(read.keyAlgorithm, 'P-256')
})

test('accepts an Ed25519 key, and a certificate without purposes or constraints', async () => {
  const read = readCertificate(await certificateWith({ purposes: undefined, constraints: undefined }, [], { name: 'Ed25519' }))
  assert.equal(read.kind === 'certificate' && read.keyAlgorithm, 'Ed25519')
})

const otherUse = (flags: number): Extension => new KeyUsagesExtension(flags, true)
const refusals: readonly (readonly [what: string, make: () => Promise<Uint8Array>])[] = [
  ['no name', () => certificateWith({ name: undefined })],
  ['a name twice', () => certificateWith({}, [extensions.name])],
  ['an authority', () => certificateWith({ constraints: new BasicConstraintsExtension(true, undefined, true) })],
  ['no key usage', () => certificateWith({ keyUsage: undefined })],
  ['a key that may not sign', () => certificateWith({ keyUsage: otherUse(KeyUsageFlags.keyEncipherment) })],
  ['a key that may sign certificates', () => certificateWith({ keyUsage: otherUse(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign) })],
  ['a key that may sign revocation lists', () => certificateWith({ keyUsage: otherUse(KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign) })],
  ["a server's purpose", () => certificateWith({ purposes: new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]) })],
  ['any purpose at all', () => certificateWith({ purposes: new ExtendedKeyUsageExtension(['2.5.29.37.0']) })],
  ['an unknown critical extension', () => certificateWith({}, [new Extension('1.2.3.4', true, Buffer.from('0500', 'hex'))])],
  ['a key on another curve', () => certificateWith({}, [], { name: 'ECDSA', namedCurve: 'P-384' })],
  ['a name whose bytes are not DER', () => certificateWith({ name: new Extension('2.5.29.17', true, Buffer.from('3080860161 0000'.replace(' ', ''), 'hex')) })],
  ['a name of another form', () => certificateWith({ name: new Extension('2.5.29.17', true, Buffer.from('30038801 2a'.replace(' ', ''), 'hex')) })],
  ['an empty list of names', () => certificateWith({ name: new Extension('2.5.29.17', true, Buffer.from('3000', 'hex')) })],
]
for (const [what, make] of refusals) {
  test(`refuses ${what}`, async () => {
    const read = readCertificate(await make())
    assert.equal(read.kind === 'refused' && read.problem.code, 'identity.certificate-invalid')
  })
}

test('an unknown extension that is not critical changes nothing', async () => {
  assert.equal(readCertificate(await certificateWith({}, [new Extension('1.2.3.4', false, Buffer.from('0500', 'hex'))])).kind, 'certificate')
})

test('no change of a byte names another agent, and none throws', async () => {
  const der = await certificateWith()
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const changed = Uint8Array.from(der)
      changed[at] = byte
      const read = readCertificate(changed)
      // A changed letter of the name is another name: the signature is what the handshake checks.
      if (read.kind === 'certificate') assert.match(read.identity.id, /^spiffe:\/\/[a-z0-9.-]+\/tenant\/[a-z0-9-]+\/agent\/[a-z0-9-]+$/)
      else assert.equal(read.problem.code, 'identity.certificate-invalid')
    }),
    { numRuns: 2000 },
  )
})

test('cut short, with bytes behind, too large or random, it is refused', async () => {
  const der = await certificateWith()
  for (let length = 0; length < der.length; length += 7) assert.equal(readCertificate(der.subarray(0, length)).kind, 'refused')
  assert.equal(readCertificate(Buffer.concat([der, Buffer.from([0])])).kind, 'refused')
  assert.equal(readCertificate(new Uint8Array(16_385)).kind, 'refused')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => readCertificate(bytes).kind === 'refused'))
})
