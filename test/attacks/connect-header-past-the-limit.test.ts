import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeLimits } from '../../packages/runtime/src/connect/bridge.ts'
import { askRaw } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const { headersMax } = bridgeLimits

function asked(secret: string, count: number, last: string): string {
  const own = ['Connection: close', `Authorization: Bearer ${secret}`, last]
  const filling = Array.from({ length: count - own.length - 1 }, (_, index) => `X-${index}: 1`)
  return ['GET /http/crm/invoices HTTP/1.1', 'Host: 127.0.0.1:PORT', ...filling, ...own].map((line) => `${line}\r\n`).join('') + '\r\n'
}

test('an Origin behind more header fields than are read is not overlooked', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const [count, status] of [
    [headersMax, 403],
    [headersMax + 1, 413],
    [headersMax + 50, 413],
  ] as const) {
    const answer = await askRaw(bridge.port, asked(secret, count, 'Origin: https://evil.example').replace('PORT', String(bridge.port)))
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${count} fields`)
  }
  assert.equal(peer.connections(), 0)
})

test('as many header fields as are allowed go through', async (t) => {
  const { bridge, secret } = await startBridge(t)
  for (const [count, status] of [
    [headersMax - 1, 200],
    [headersMax, 200],
    [headersMax + 1, 413],
  ] as const) {
    const answer = await askRaw(bridge.port, asked(secret, count, 'Accept: */*').replace('PORT', String(bridge.port)))
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${count} fields`)
  }
})
