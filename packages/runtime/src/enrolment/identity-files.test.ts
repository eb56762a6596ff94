import 'reflect-metadata'
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { X509CertificateGenerator } from '@peculiar/x509'
import { Fault } from '@sallyport/contract'
import { parseGatewayAddress } from './gateway-address.ts'
import { loadIdentity, parseIdentity, writeIdentity, type NewIdentity } from './identity-files.ts'
import { nextRenewalAt } from './next-renewal-at.ts'

async function identity(): Promise<NewIdentity> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: 'CN=x', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    id: 'spiffe://agents.test/tenant/acme/agent/bot',
    gateway: '127.0.0.1:8443',
    keyPem: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    certificatePem: certificate.toString('pem'),
    bundlePem: certificate.toString('pem'),
  }
}

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-identity-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

test('what is written comes back, and other programs find it under the plain names', async (t) => {
  const directory = await folder(t)
  await assert.rejects(loadIdentity(directory), /enrol first/)
  const first = await identity()
  await writeIdentity(directory, first)
  assert.equal((await loadIdentity(directory)).keyPem, first.keyPem)
  const second = await identity()
  await writeIdentity(directory, second)
  assert.equal((await loadIdentity(directory)).certificatePem, second.certificatePem)
  assert.equal(await readFile(join(directory, 'agent.key'), 'utf8'), second.keyPem)
})

test('a crash before the switch leaves the old key with the old certificate', async (t) => {
  const directory = await folder(t)
  const first = await identity()
  await writeIdentity(directory, first)
  const link = await readlink(join(directory, 'current'))
  await mkdir(join(directory, 'certificates', 'cut-off'))
  await writeFile(join(directory, 'certificates', 'cut-off', 'agent.key'), 'half')
  await writeFile(join(directory, '.current.unfinished'), '')
  assert.equal(await readlink(join(directory, 'current')), link)
  assert.equal((await loadIdentity(directory)).keyPem, first.keyPem)
  const next = await identity()
  await writeIdentity(directory, next)
  assert.equal((await loadIdentity(directory)).keyPem, next.keyPem, 'and what was left over is no obstacle')
})

test('a key that others can read, or that belongs to another certificate, is not used', async (t) => {
  const directory = await folder(t)
  await writeIdentity(directory, await identity())
  await chmod(join(directory, 'agent.key'), 0o640)
  await assert.rejects(loadIdentity(directory), (error) => error instanceof Fault && error.message.includes('open to others'))

  const [mine, theirs] = [await identity(), await identity()]
  assert.throws(() => parseIdentity({ ...mine, keyPem: theirs.keyPem }), /another key/)
  assert.throws(() => parseIdentity({ ...mine, bundlePem: theirs.bundlePem }), /no root in the bundle/)
  assert.throws(() => parseIdentity({ ...mine, id: 'spiffe://agents.test/gateway' }), Fault)
})

test('addresses', () => {
  assert.deepEqual(parseGatewayAddress('gateway.example.com:8443'), { host: 'gateway.example.com', port: 8443 })
  assert.deepEqual(parseGatewayAddress('[::1]:1'), { host: '::1', port: 1 })
  for (const text of ['gateway', ':8443', 'gateway:0', 'gateway:65536', 'https://gateway:8443', '[gateway]:1', '[abc]:1', 'a b:1', '::1:1']) {
    assert.equal(parseGatewayAddress(text), undefined, text)
  }
})

test('renewal is due at two thirds', () => {
  assert.equal(nextRenewalAt({ notBeforeMs: 300, notAfterMs: 600 }), 500)
})
