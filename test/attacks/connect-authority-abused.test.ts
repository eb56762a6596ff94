// Whoever steals the key of the bridge's authority must not be able to speak for the rest of the world to the programs that trust it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { makeAuthority, signLeaf, type KeyAndCertificate } from '../../packages/runtime/src/connect/interception/authority.ts'
import { interceptableHosts } from '../../packages/runtime/src/connect/interception/interceptable-hosts.ts'
import { interceptionPlaces, keepAuthority, readAuthority } from '../../packages/runtime/src/connect/interception/kept-authority.ts'

/** What a program that trusts the authority says to a server with this certificate. */
async function verdict(authority: KeyAndCertificate, leaf: KeyAndCertificate, servername: string): Promise<string> {
  const server = createServer(leaf, (socket) => socket.end()).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  await once(server, 'listening')
  const address = server.address()
  const socket = connect({ port: typeof address === 'object' && address ? address.port : 0, host: '127.0.0.1', servername, ca: authority.cert })
  try {
    await once(socket, 'secureConnect')
    return 'trusted'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    socket.destroy()
    server.close()
  }
}

test('a certificate for a host that is not among those of the authority is trusted by nobody', async () => {
  const authority = await makeAuthority(['crm.internal'], Date.now(), randomBytes)
  const sign = (host: string): Promise<KeyAndCertificate> => signLeaf(authority, host, Date.now(), randomBytes)
  assert.equal(await verdict(authority, await sign('crm.internal'), 'crm.internal'), 'trusted')
  for (const host of ['evil.example', 'internal', 'xcrm.internal', 'crm.internal.evil.example'])
    assert.match(await verdict(authority, await sign(host), host), /PERMITTED|CONSTRAINT|INVALID_CA|UNSPECIFIED/i, host)
})

test('a certificate that the authority has signed can sign none', async () => {
  const authority = await makeAuthority(['crm.internal'], Date.now(), randomBytes)
  const leaf = await signLeaf(authority, 'crm.internal', Date.now(), randomBytes)
  const below = await signLeaf(leaf, 'crm.internal', Date.now(), randomBytes)
  assert.notEqual(await verdict(authority, { key: below.key, cert: below.cert + leaf.cert }, 'crm.internal'), 'trusted')
})

test('no authority is made for a name without a dot, an address or a pattern', () => {
  const hosts = [
    'com',
    'crm',
    '10.0.0.1',
    '[::1]',
    '*.internal',
    'crm.internal:8443',
    '.internal',
    'crm.internal.',
    'crm.internal:443',
    'api.example.com',
    'CRM.INTERNAL',
  ]
  assert.deepEqual(interceptableHosts([{ name: 'com', protocol: 'http', hosts }]), ['api.example.com', 'crm.internal'])
})

test('a key that others can read, or that is of another certificate, is not used', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-authority-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [one, other] = [await makeAuthority(['crm.internal'], Date.now(), randomBytes), await makeAuthority(['crm.internal'], Date.now(), randomBytes)]
  assert.equal(await readAuthority(folder), undefined)
  await keepAuthority(folder, one, ['crm.internal'])
  assert.deepEqual((await readAuthority(folder))?.hosts, ['crm.internal'])
  await chmod(interceptionPlaces(folder).key, 0o640)
  await assert.rejects(readAuthority(folder), /open to others/)
  await keepAuthority(folder, { key: other.key, cert: one.cert }, ['crm.internal'])
  await assert.rejects(readAuthority(folder), /damaged/)
})
