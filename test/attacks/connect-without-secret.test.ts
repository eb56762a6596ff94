import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('another program on the machine cannot act as the agent', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
  const attempts: Record<string, string>[] = [
    {},
    { authorization: `Bearer ${wrong}` },
    { authorization: 'Bearer ' },
    { authorization: secret },
    { authorization: `Basic ${Buffer.from(`any:${secret}`).toString('base64')}` },
    { 'x-sallyport-secret': wrong },
    { 'x-sallyport-secret': `${secret}, ${secret}` },
    { 'x-sallyport-secret': '' },
    { cookie: `secret=${secret}` },
    { 'proxy-authorization': `Basic ${Buffer.from(`any:${secret}`).toString('base64')}` },
  ]
  for (const headers of attempts) {
    for (const path of ['/http/crm/invoices', '/mcp', '/mcp/everything']) {
      const answer = await ask(bridge.port, { path, headers })
      assert.equal(answer.status, 401, JSON.stringify(headers))
      assert.equal(answer.json?.['code'], 'connect.secret-required')
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="sallyport connect"')
      assert.ok(!answer.text.includes(secret))
    }
  }
  assert.equal(peer.connections(), 0)
})

test('a proxy client without the secret is told to give it', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const proxyAuthorization of [undefined, 'Basic', `Basic ${Buffer.from('any:wrong').toString('base64')}`, `Bearer ${secret}`]) {
    const headers = { host: 'crm.internal', ...(proxyAuthorization !== undefined && { 'proxy-authorization': proxyAuthorization }) }
    const answer = await ask(bridge.port, { path: 'http://crm.internal/invoices', headers })
    assert.equal(answer.status, 407)
    assert.equal(answer.json?.['code'], 'connect.proxy-secret-required')
    assert.equal(answer.headers['proxy-authenticate'], 'Basic realm="sallyport connect"')
  }
  assert.equal(peer.connections(), 0)
})

test('both ways to show the secret work', async (t) => {
  const { bridge, secret } = await startBridge(t)
  for (const headers of [{ authorization: `Bearer ${secret}` }, { 'x-sallyport-secret': secret }]) {
    assert.equal((await ask(bridge.port, { path: '/http/crm/invoices', headers })).status, 200)
  }
})
