import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askInTunnel, basic, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const request = 'GET /invoices HTTP/1.1\r\nHost: crm.internal\r\nConnection: close\r\n\r\n'

test('another program on the machine opens no tunnel, and learns nothing about the catalog', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
  const attempts = [
    [],
    [`Proxy-Authorization: ${basic(wrong)}`],
    [`Proxy-Authorization: ${basic('')}`],
    [`Proxy-Authorization: Bearer ${secret}`],
    [`Authorization: ${basic(secret)}`],
    [`Authorization: Bearer ${secret}`],
    [`X-Sallyport-Secret: ${secret}`],
  ]
  for (const authority of ['crm.internal:80', 'evil.example:80', 'crm.internal:443']) {
    for (const lines of attempts) {
      const head = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...lines, '', ''].join('\r\n')
      const { opened, inside } = await askInTunnel(bridge.port, head, request)
      assert.match(opened, /^HTTP\/1\.1 407 .*proxy-authenticate: Basic /is, lines.join())
      assert.doesNotMatch(opened, /everything/)
      assert.equal(inside, '')
    }
  }
  assert.equal(peer.connections(), 0)
})

test('two passwords, one of them right, open nothing', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const { opened } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret, [`Proxy-Authorization: ${basic('x')}`]), request)
  assert.match(opened, /^HTTP\/1\.1 400 /)
  assert.equal(peer.connections(), 0)
})

test('the secret is for one connection: inside, no credential of the bridge goes onward', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const more = `Proxy-Authorization: ${basic(secret)}\r\nAuthorization: Bearer ${secret}\r\nX-Kept: kept\r\nX-Copy: ${secret}\r\nConnection: close\r\n\r\n`
  const { inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), `GET /invoices HTTP/1.1\r\nHost: crm.internal\r\n${more}`)
  assert.match(inside, /^HTTP\/1\.1 200 /)
  const call = peer.received.at(-1)
  assert.equal(call?.headers['x-kept'], 'kept')
  assert.ok(!call?.rawHeaders.join('\n').includes(secret))
  assert.deepEqual([call?.headers['authorization'], call?.headers['proxy-authorization']], [undefined, undefined])
})
