import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, askInTunnel, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const clientHello = '\x16\x03\x01\x00\x05hello'

test('a tunnel for TLS is refused, since the rules could not see the calls in it, and the answer says what to do', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const { opened, inside } = await askInTunnel(bridge.port, connectHead('crm.internal:443', secret), clientHello)
  assert.match(opened, /^HTTP\/1\.1 501 /)
  assert.match(opened, /"code":"edge\.upgrade-refused"/)
  assert.match(opened, /Call http:\/\/crm\.internal\/ through the proxy/)
  assert.equal(inside, '')
  assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
})

test('TLS inside a tunnel for plain HTTP goes nowhere', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const { opened, inside } = await askInTunnel(bridge.port, connectHead('crm.internal:8443', secret), clientHello)
  assert.match(opened, /^HTTP\/1\.1 200 /)
  assert.match(inside, /^HTTP\/1\.1 400 /)
  assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
})

test('a WebSocket is refused rather than passed on without its upgrade', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const headers = { authorization: `Bearer ${secret}`, connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  const answer = await ask(bridge.port, { path: '/http/crm/live', headers })
  assert.equal(answer.status, 501)
  assert.equal(answer.json?.['code'], 'edge.upgrade-refused')
  assert.equal(peer.connections(), 0)
})
