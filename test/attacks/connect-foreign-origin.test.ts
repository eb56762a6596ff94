import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

for (const origin of ['https://evil.example', 'null', 'http://localhost', 'http://good.example.evil.example', 'http://GOOD.example']) {
  test(`a page of ${origin} that somehow knows the secret reaches nothing`, async (t) => {
    const { bridge, peer, secret } = await startBridge(t, { allowedOrigins: ['http://good.example'] })
    const answer = await ask(bridge.port, { path: '/http/crm/invoices', headers: { authorization: `Bearer ${secret}`, origin } })
    assert.equal(answer.status, 403)
    assert.equal(answer.json?.['code'], 'connect.origin-refused')
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
    assert.equal(peer.connections(), 0)
  })
}

test('a preflight of a foreign origin gets no permission', async (t) => {
  const { bridge } = await startBridge(t)
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
  const answer = await ask(bridge.port, { method: 'OPTIONS', path: '/mcp', headers })
  assert.equal(answer.status, 403)
  assert.equal(answer.headers['access-control-allow-origin'], undefined)
})

test('an origin that was allowed by hand may ask, with the secret, and only the bridge says so', async (t) => {
  const origin = 'http://good.example'
  const { bridge, peer, secret } = await startBridge(t, { allowedOrigins: [origin] })
  const preflight = await ask(bridge.port, { method: 'OPTIONS', path: '/mcp', headers: { origin, 'access-control-request-method': 'POST' } })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], origin)
  assert.equal(peer.connections(), 0)

  const without = await ask(bridge.port, { path: '/http/crm/invoices', headers: { origin } })
  assert.equal(without.json?.['code'], 'connect.secret-required')
  const answer = await ask(bridge.port, { path: '/http/crm/invoices', headers: { origin, authorization: `Bearer ${secret}` } })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['access-control-allow-origin'], origin)
})
