import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askInTunnel, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const request = 'GET /latest/meta-data HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n'

test('no tunnel leads to a metadata address, to a host or port that is not in the catalog, or back to the bridge', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const unknown = [
    '169.254.169.254:80',
    'metadata.google.internal:80',
    'evil.example:80',
    'evil.example:443',
    'crm.internal.evil.example:80',
    'xcrm.internal:80',
    'crm.internal.:80',
    'crm.internal:22',
    'crm.internal:9999',
    'crm:81',
    '2852039166:80',
    '0xa9fea9fe:80',
    `127.0.0.1:${bridge.port}`,
    `localhost:${bridge.port}`,
    'sallyport:80',
  ]
  for (const authority of unknown) {
    const { opened, inside } = await askInTunnel(bridge.port, connectHead(authority, secret), request)
    assert.match(opened, /^HTTP\/1\.1 403 /, authority)
    assert.match(opened, /"code":"connect\.unknown-host".*crm, crm\.internal/, authority)
    assert.equal(inside, '')
  }
  assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
})

test('what is no HOST:PORT opens nothing', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const authority of [
    'crm.internal',
    'crm.internal:',
    ':80',
    'user@crm.internal:80',
    '[fd00:ec2::254]:80',
    'http://crm.internal:80',
    'crm.internal:80/x',
    '*',
  ]) {
    const { opened } = await askInTunnel(bridge.port, connectHead(authority, secret), request)
    assert.match(opened, /^HTTP\/1\.1 400 /, authority)
  }
  assert.equal(peer.connections(), 0)
})
