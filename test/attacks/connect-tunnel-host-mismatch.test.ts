import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askInTunnel, askRaw, basic, connectHead } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const calls = (targets: readonly { readonly target: string }[]): string[] =>
  targets.map(({ target }) => target).filter((target) => !target.startsWith('/sallyport/'))

test('a request inside a tunnel that names another host than the tunnel reaches neither', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const host of ['everything', 'evil.example', 'crm.internal:443', 'crm.internal:8443', `127.0.0.1:${bridge.port}`, 'crm.internal@evil.example', '']) {
    const { opened, inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), `GET /invoices HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    assert.match(opened, /^HTTP\/1\.1 200 /)
    assert.match(inside, /^HTTP\/1\.1 400 .*"code":"edge\.malformed"/s, host)
  }
  assert.deepEqual(calls(peer.received), [])
})

test('a URL inside a tunnel, to whatever host, and a tunnel inside a tunnel reach nothing', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const insides = ['GET http://everything/mcp', 'GET http://crm.internal/invoices', 'CONNECT everything:80', 'CONNECT crm.internal:80', 'OPTIONS *']
  for (const line of insides) {
    const more = `Host: crm.internal\r\nProxy-Authorization: ${basic(secret)}\r\nAuthorization: Bearer ${secret}`
    const { inside } = await askInTunnel(bridge.port, connectHead('crm.internal:80', secret), `${line} HTTP/1.1\r\n${more}\r\n\r\n`)
    assert.match(inside, /^HTTP\/1\.1 400 /, line)
  }
  assert.deepEqual(calls(peer.received), [])
})

test('the paths of the bridge and of the gateway do not exist inside a tunnel', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const ask = (path: string) =>
    askInTunnel(bridge.port, connectHead('crm.internal:80', secret), `GET ${path} HTTP/1.1\r\nHost: crm.internal\r\nConnection: close\r\n\r\n`)
  assert.match((await ask('/sallyport/v1/certificate')).inside, /"target":"\/http\/crm\/sallyport\/v1\/certificate"/)
  assert.match((await ask('/../../sallyport/v1/certificate')).inside, /^HTTP\/1\.1 400 /)
  assert.match((await ask(`/invoices?key=${secret}`)).inside, /^HTTP\/1\.1 400 /)
  assert.deepEqual(calls(peer.received), ['/http/crm/sallyport/v1/certificate'])
})

test('CONNECT itself names one host', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const hosts of [['everything:80'], ['crm.internal:80', 'everything:80'], []]) {
    const lines = hosts.map((host) => `Host: ${host}\r\n`).join('')
    const answer = await askRaw(bridge.port, `CONNECT crm.internal:80 HTTP/1.1\r\n${lines}Proxy-Authorization: ${basic(secret)}\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 400 /)
  }
  assert.equal(peer.connections(), 0)
})
