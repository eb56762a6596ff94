import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('a login needs no secret, and yet no page starts one by what it loads, reads its metadata or asks for tokens', async (t) => {
  const { bridge, peer } = await startBridge(t)
  const browser = { 'sec-fetch-site': 'cross-site' }
  const loaded = [
    { method: 'GET', path: '/oauth/authorize?x=1', headers: { ...browser, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } },
    { method: 'GET', path: '/oauth/authorize?x=1', headers: { ...browser, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
    { method: 'GET', path: '/.well-known/oauth-authorization-server', headers: { ...browser, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' } },
    { method: 'GET', path: '/.well-known/oauth-authorization-server', headers: { ...browser, 'sec-fetch-mode': 'cors', origin: 'https://evil.example' } },
    {
      method: 'POST',
      path: '/oauth/token',
      headers: { ...browser, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', origin: 'https://evil.example' },
    },
    { method: 'POST', path: '/oauth/token', headers: { origin: 'null' } },
  ]
  for (const question of loaded) assert.equal((await ask(bridge.port, question)).json?.['code'], 'connect.origin-refused', JSON.stringify(question))
  const rebound = await ask(bridge.port, { path: '/oauth/authorize?x=1', headers: { host: 'evil.example' } })
  assert.equal(rebound.json?.['code'], 'connect.host-refused')
  // With another method, or beside these paths, the secret is needed as ever.
  for (const [method, path] of [
    ['POST', '/oauth/authorize'],
    ['GET', '/oauth/token'],
    ['GET', '/oauth/authorize/x'],
    ['GET', '/.well-known/oauth-protected-resource/http/crm'],
    ['GET', '/mcp/crm'],
  ] as const)
    assert.equal((await ask(bridge.port, { method, path })).json?.['code'], 'connect.secret-required', path)
  assert.equal(peer.received.length, 0)
})

test('a person’s browser gets through, and leaves at the bridge what it keeps for other programs of this host', async (t) => {
  const { bridge, peer } = await startBridge(t)
  const headers = {
    'sec-fetch-site': 'none',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    cookie: 'of-another-program=1',
    referer: 'http://127.0.0.1:3000/',
  }
  await ask(bridge.port, {
    path: '/oauth/authorize?x=1',
    headers: { ...headers, authorization: 'Bearer x', 'sallyport-ticket': 'x', 'sallyport-reached-at': 'http://127.0.0.1:1' },
  })
  const [received] = peer.received
  assert.equal(received?.target, '/oauth/authorize?x=1')
  assert.equal(received.headers['sallyport-reached-at'], bridge.url)
  for (const name of ['cookie', 'referer', 'authorization', 'sallyport-ticket']) assert.equal(received.headers[name], undefined)
})
