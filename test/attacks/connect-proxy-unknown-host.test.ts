import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const basic = (secret: string): string => `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`

test('a host that no upstream answers to is refused with the known ones, and not looked up', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const host of ['evil.example', '169.254.169.254', 'crm.internal.evil.example', 'crm.internal:9999', `127.0.0.1:${bridge.port}`, 'sallyport']) {
    const answer = await ask(bridge.port, { path: `http://${host}/latest/meta-data`, headers: { host, 'proxy-authorization': basic(secret) } })
    assert.equal(answer.status, 403, host)
    assert.equal(answer.json?.['code'], 'connect.unknown-host')
    assert.match(String(answer.json?.['detail']), /crm, crm\.internal/)
  }
  assert.deepEqual([...new Set(peer.received.map(({ target }) => target))], ['/sallyport/v1/catalog'])
})

test('a Host that differs from the URL is refused', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const answer = await ask(bridge.port, { path: 'http://crm.internal/invoices', headers: { host: 'evil.example', 'proxy-authorization': basic(secret) } })
  assert.equal(answer.json?.['code'], 'edge.malformed')
  assert.equal(peer.connections(), 0)
})

test('no URL and no path leads to what is not for clients', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const own = `127.0.0.1:${bridge.port}`
  const targets = [
    '/sallyport/v1/certificate',
    '/http/crm/../../sallyport/v1/certificate',
    '/http/crm/%2e%2e/%2E./sallyport/v1/certificate',
    '/http/../sallyport/v1/whoami',
    '/mcp/../sallyport/v1/whoami',
    '//crm/invoices',
    '/',
    '*',
  ]
  for (const path of targets) {
    const answer = await ask(bridge.port, { method: 'POST', path, headers: { host: own, authorization: `Bearer ${secret}` } })
    assert.ok(answer.status === 404 || answer.status === 400, path)
  }
  for (const path of ['http://crm.internal/../sallyport/v1/certificate', 'http://user:pass@crm.internal/', 'https://crm.internal/', 'ftp://crm.internal/']) {
    const answer = await ask(bridge.port, { path, headers: { host: 'crm.internal', 'proxy-authorization': basic(secret) } })
    assert.equal(answer.json?.['code'], 'edge.malformed', path)
  }
  assert.equal(peer.received.length, 0)
})

test('a known host, by each of its names, reaches its upstream', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const expected: Record<string, string> = {
    'http://crm.internal/invoices?open=1': '/http/crm/invoices?open=1',
    'http://CRM.internal:80/invoices': '/http/crm/invoices',
    'http://crm.internal:8443/': '/http/crm/',
    'http://crm': '/http/crm/',
    'http://everything/mcp': '/mcp/everything',
  }
  for (const [path, target] of Object.entries(expected)) {
    const host = new URL(path).port === '' && !path.includes(':80/') ? new URL(path).hostname : (/\/\/([^/]+)/.exec(path)?.[1] ?? '')
    const answer = await ask(bridge.port, { path, headers: { host, 'proxy-authorization': basic(secret) } })
    assert.equal(answer.status, 200, path)
    assert.equal(peer.received.at(-1)?.target, target)
    assert.notEqual(peer.received.at(-1)?.headers['host'], 'crm.internal')
  }
  assert.equal(peer.received.filter(({ target }) => target === '/sallyport/v1/catalog').length, 1)
})
