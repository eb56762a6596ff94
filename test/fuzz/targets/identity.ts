import assert from 'node:assert/strict'
import { webcrypto, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { readCsr } from '../../../packages/gateway/src/control/authority/read-csr.ts'
import { readCertificate } from '../../../packages/gateway/src/identity/certificate-identity.ts'
import { keptCases } from '../cases.ts'
import { latin1, type Target } from '../target.ts'

const certificates = keptCases('identity-certificate').map(({ input }) => input)
const requests = keptCases('identity-csr').map(({ input }) => input)
const knownKeys = new Set(await Promise.all(requests.map((request) => keyOf(pemOf(request)))))

/** What is taken for an agent's certificate is one to OpenSSL too, with the same only name, dates and kind of key. */
export const certificateTarget: Target = {
  name: 'identity-certificate',
  inputs: fc.constantFrom(...certificates),
  words: [
    '\x30\x80',
    '\x30\x00',
    '\x86\x00',
    '\x86',
    '\x82',
    '\x03\x55\x1d\x11',
    '\x81\x80',
    '\x82\x00\x80',
    '\x01\x01\xff',
    '\x00\x00',
    'spiffe://test.example/tenant/acme/agent/invoice-bot',
    '/agent/x',
    '%61',
    '20500101000000Z',
    '500101000000Z',
  ],
  bytesMax: 4096,
  check(input) {
    const read = readCertificate(input)
    if (read.kind === 'refused') return assert.equal(read.problem.code, 'identity.certificate-invalid')
    assert.equal(input[0], 0x30)
    assert.ok(read.notBeforeMs % 1000 === 0 && read.notAfterMs % 1000 === 0)
    const theirs = openSslView(input)
    if (!theirs) return // never passes the handshake
    assert.equal(theirs.subjectAltName, `URI:${read.identity.id}`)
    assert.equal(theirs.ca, false)
    assert.deepEqual([theirs.validFromDate.getTime(), theirs.validToDate.getTime()], [read.notBeforeMs, read.notAfterMs])
    assert.ok(theirs.raw.equals(input))
  },
}

function openSslView(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

/** DER in PEM. However a request is changed, no key is taken from it but one whose holder signed it. */
export const csrTarget: Target = {
  name: 'identity-csr',
  inputs: fc.constantFrom(...requests),
  words: [
    '\x30\x80',
    '\x30\x00',
    '\x02\x01\x00',
    '\xa0\x00',
    '\x03\x42\x00\x04',
    '\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07',
    '\x82',
    '\xff',
    '-----BEGIN CERTIFICATE REQUEST-----\nMIIB',
  ],
  bytesMax: 2048,
  async check(input) {
    for (const pem of [pemOf(input), latin1(input)]) {
      const key = await keyOf(pem)
      if (key !== undefined) assert.ok(knownKeys.has(key))
    }
  },
}

function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
}

async function keyOf(pem: string): Promise<string | undefined> {
  const read = await readCsr(pem)
  if (read.kind === 'key') return Buffer.from(await webcrypto.subtle.exportKey('spki', read.publicKey)).toString('hex')
  assert.match(read.reason, /^certificate signing request /)
  return undefined
}
