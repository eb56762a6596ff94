import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, askRaw } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('a name that was rebound to loopback is no Host of the bridge, even with the secret', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const { port } = bridge
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    'localhost',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1:${port}.evil.example`,
    `localhost.:${port}`,
  ]
  for (const host of foreign) {
    const answer = await ask(port, { path: '/http/crm/invoices', headers: { host, authorization: `Bearer ${secret}` } })
    assert.equal(answer.status, 421, host)
    assert.equal(answer.json?.['code'], 'connect.host-refused', host)
  }
  assert.equal(peer.connections(), 0)
})

test('two Host headers are refused, whichever is the right one', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const own = `127.0.0.1:${bridge.port}`
  for (const hosts of [
    [own, 'evil.example'],
    ['evil.example', own],
    [own, own],
  ]) {
    const lines = hosts.map((host) => `host: ${host}\r\n`).join('')
    const answer = await askRaw(bridge.port, `GET /http/crm/a HTTP/1.1\r\n${lines}authorization: Bearer ${secret}\r\nconnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 400 /)
  }
  assert.equal(peer.connections(), 0)
})

test('each of its own names is answered', async (t) => {
  const { bridge, secret } = await startBridge(t)
  for (const host of [`127.0.0.1:${bridge.port}`, `localhost:${bridge.port}`, `[::1]:${bridge.port}`, `LOCALHOST:${bridge.port}`]) {
    const answer = await ask(bridge.port, { path: '/http/crm/invoices', headers: { host, authorization: `Bearer ${secret}` } })
    assert.equal(answer.status, 200, host)
  }
})
