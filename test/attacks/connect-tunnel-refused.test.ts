import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, askRaw } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('CONNECT opens no tunnel past the rules, with the secret or without', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const basic = Buffer.from(`any:${secret}`).toString('base64')
  for (const header of ['', `proxy-authorization: Basic ${basic}\r\n`]) {
    const answer = await askRaw(bridge.port, `CONNECT crm.internal:443 HTTP/1.1\r\nhost: crm.internal:443\r\n${header}\r\nGET /invoices HTTP/1.1\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 501 /)
    assert.match(answer, /"code":"edge\.upgrade-refused"/)
    assert.match(answer, /http:\/\/ form/)
    assert.equal(answer.split('HTTP/1.1 ').length, 2)
  }
  assert.equal(peer.connections(), 0)
})

test('a WebSocket is refused rather than passed on without its upgrade', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const headers = { authorization: `Bearer ${secret}`, connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  const answer = await ask(bridge.port, { path: '/http/crm/live', headers })
  assert.equal(answer.status, 501)
  assert.equal(answer.json?.['code'], 'edge.upgrade-refused')
  assert.equal(peer.connections(), 0)
})
