import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('the secret, and every other credential for the bridge, stays at the bridge', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const basic = `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`
  const direct: Record<string, string>[] = [
    { authorization: `Bearer ${secret}` },
    { 'x-sallyport-secret': secret, authorization: 'Bearer something-of-the-client' },
    { authorization: `bearer ${secret}`, 'x-sallyport-secret': secret, 'x-copy': `secret is ${secret}`, cookie: `s=${secret}` },
    { authorization: `Bearer ${secret}`, 'proxy-authorization': basic },
  ]
  for (const headers of direct) assert.equal((await ask(bridge.port, { path: '/http/crm/invoices', headers: { ...headers, 'x-kept': 'kept' } })).status, 200)
  const proxied = await ask(bridge.port, {
    path: 'http://crm.internal/invoices',
    headers: { host: 'crm.internal', 'proxy-authorization': basic, 'x-kept': 'kept' },
  })
  assert.equal(proxied.status, 200)

  const calls = peer.received.filter(({ target }) => target.startsWith('/http/'))
  assert.equal(calls.length, direct.length + 1)
  for (const { target, headers, rawHeaders } of calls) {
    assert.equal(headers['x-kept'], 'kept')
    for (const name of ['authorization', 'proxy-authorization', 'x-sallyport-secret']) assert.equal(headers[name], undefined)
    assert.ok(!rawHeaders.join('\n').includes(secret))
    assert.ok(!rawHeaders.join('\n').includes(basic))
    assert.ok(!target.includes(secret))
  }
})

test('a secret in the URL is refused before it could be logged anywhere', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const answer = await ask(bridge.port, { path: `/http/crm/invoices?key=${secret}`, headers: { authorization: `Bearer ${secret}` } })
  assert.equal(answer.json?.['code'], 'edge.malformed')
  assert.ok(!answer.text.includes(secret))
  assert.equal(peer.connections(), 0)
})

test('fields of one connection end at the bridge, and what they name with them; the body stays whole', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const headers = { 'x-sallyport-secret': secret, connection: 'x-private, content-length', 'x-private': '1', te: 'trailers', 'content-length': '5' }
  const answer = await ask(bridge.port, { method: 'POST', path: '/http/crm/invoices', headers, body: 'hello' })
  assert.equal(answer.status, 200)
  const [call] = peer.received
  assert.equal(call?.body, 'hello')
  assert.equal(call?.headers['x-private'], undefined)
  assert.equal(call?.headers['te'], undefined)
})
