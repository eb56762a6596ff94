import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, askInTunnel, basic, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

for (const origin of ['https://evil.example', 'null', 'http://crm.internal']) {
  test(`a page of ${origin} in a browser that uses the bridge as its proxy reaches nothing, in a tunnel or not`, async (t) => {
    const { bridge, peer, secret } = await startBridge(t)
    const inner = `POST /invoices HTTP/1.1\r\nHost: crm.internal\r\nOrigin: ${origin}\r\nContent-Length: 0\r\n\r\n`
    const { opened, inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), inner)
    assert.match(opened, /^HTTP\/1\.1 200 /)
    assert.match(inside, /^HTTP\/1\.1 403 .*"code":"connect\.origin-refused"/s)
    assert.doesNotMatch(inside, /access-control-allow-origin/i)

    const named = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret, [`Origin: ${origin}`]), inner)
    assert.match(named.opened, /^HTTP\/1\.1 403 /)
    const headers = { host: 'crm.internal', origin, 'proxy-authorization': basic(secret) }
    assert.equal((await ask(bridge.port, { method: 'POST', path: 'http://crm.internal/invoices', headers })).json?.['code'], 'connect.origin-refused')
    assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
  })
}

test('a rebound name of a page is no Host inside a tunnel, nor can a tunnel lead to loopback', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const own = `127.0.0.1:${bridge.port}`
  const { inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), `GET /http/crm/x HTTP/1.1\r\nHost: ${own}\r\n\r\n`)
  assert.match(inside, /^HTTP\/1\.1 400 /)
  assert.match((await askInTunnel(bridge.port, connectHead(own, secret), '')).opened, /^HTTP\/1\.1 403 /)
  assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
})
