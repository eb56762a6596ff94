import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginRequestsMax } from '../../packages/runtime/src/connect/login-limit.ts'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

test('programs without the secret that ask for logins without end do not use up what the agent itself may ask of the gateway', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const path = '/.well-known/oauth-authorization-server'
  for (let times = 0; times < loginRequestsMax; times += 1) assert.equal((await ask(bridge.port, { path })).json?.['code'], undefined)
  const past = await ask(bridge.port, { path })
  assert.deepEqual([past.status, past.json?.['code']], [503, 'edge.overloaded'])
  assert.ok(Number(past.headers['retry-after']) > 0)
  assert.equal(peer.received.length, loginRequestsMax)
  assert.equal((await ask(bridge.port, { path: '/mcp/crm', headers: { 'x-sallyport-secret': secret } })).status, 200, 'its clients go on')
})
