import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askInTunnel, connectHead } from '../fixtures/ask-bridge.ts'
import { askSecurely, secureTunnel, startInterceptingBridge } from '../fixtures/intercepting-bridge.ts'

const calls = (targets: readonly { readonly target: string }[]): string[] =>
  targets.map(({ target }) => target).filter((target) => !target.startsWith('/sallyport/'))

test('a request inside TLS is for the host of the tunnel, and no other host, path of the bridge or tunnel is reached from there', async (t) => {
  const bridge = await startInterceptingBridge(t)
  const { peer, secret } = bridge
  const wrong = [
    'GET /x HTTP/1.1\r\nHost: everything\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: crm.internal:80\r\n\r\n',
    'GET https://crm.internal/x HTTP/1.1\r\nHost: crm.internal\r\n\r\n',
    'GET /../../sallyport/v1/certificate HTTP/1.1\r\nHost: crm.internal\r\n\r\n',
    `GET /x?key=${secret} HTTP/1.1\r\nHost: crm.internal\r\n\r\n`,
    'CONNECT everything:80 HTTP/1.1\r\nHost: everything:80\r\n\r\n',
  ]
  for (const head of wrong) assert.match(await askSecurely(bridge, head), /^HTTP\/1\.1 400 /, head)
  assert.deepEqual(calls(peer.received), [])
  assert.match(await askSecurely(bridge, 'GET /x HTTP/1.1\r\nHost: crm.internal\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 /)
  assert.deepEqual(calls(peer.received), ['/http/crm/x'])
})

test('a handshake for another host than the tunnel’s fails', async (t) => {
  const bridge = await startInterceptingBridge(t)
  for (const servername of ['evil.example', 'everything', 'xcrm.internal'])
    await assert.rejects(secureTunnel(bridge, { servername, checkServerIdentity: () => undefined }), servername)
  assert.deepEqual(calls(bridge.peer.received), [])
})

test('no tunnel for TLS is opened to a host that the authority does not cover, is not in the catalog, or without the secret', async (t) => {
  const { bridge, peer, secret } = await startInterceptingBridge(t)
  const cases = [
    ['crm:443', secret, /^HTTP\/1\.1 501 .*"code":"edge\.upgrade-refused".*connect trust/s],
    ['everything:443', secret, /^HTTP\/1\.1 501 /],
    ['evil.example:443', secret, /^HTTP\/1\.1 403 .*"code":"connect\.unknown-host"/s],
    ['crm.internal:443', 'wrong', /^HTTP\/1\.1 407 .*"code":"connect\.proxy-secret-required"/s],
  ] as const
  for (const [authority, shown, refusal] of cases) {
    const { opened, inside } = await askInTunnel(bridge.port, connectHead(authority, shown), '')
    assert.match(opened, refusal, authority)
    assert.equal(inside, '')
  }
  assert.deepEqual(calls(peer.received), [])
})

test('what is no TLS in a tunnel for it is not read as a request', async (t) => {
  const { bridge, peer, secret } = await startInterceptingBridge(t)
  const { opened, inside } = await askInTunnel(bridge.port, connectHead('crm.internal:443', secret), 'GET /x HTTP/1.1\r\nHost: crm.internal\r\n\r\n')
  assert.match(opened, /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(inside, /HTTP\/1\.1 [24]/)
  assert.deepEqual(calls(peer.received), [])
})

test('TLS older than 1.2 is refused', async (t) => {
  const bridge = await startInterceptingBridge(t)
  await assert.rejects(secureTunnel(bridge, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
})
