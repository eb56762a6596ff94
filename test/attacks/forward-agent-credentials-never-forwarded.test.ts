// Token passthrough (MCP security best practices): what an agent shows to the gateway is not for upstreams, and what it makes up does not stand in for the gateway's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const own: readonly (readonly [string, string])[] = [
  ['authorization', 'Bearer agents-own-token'],
  ['authorization', 'Basic agents-own-second'],
  ['cookie', 'session=agents-own-cookie'],
  ['proxy-authorization', 'Basic agents-own-proxy'],
  ['x-api-key', 'agents-own-key'],
  ['x-sallyport-ticket', 'agents-own-ticket'],
  ['x-forwarded-client-cert', 'agents-own-certificate'],
]

test('the upstream gets the gateway’s credential in place of the agent’s own [T15]', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  const credential = { secret: 'crm', header: 'x-api-key', format: 'key {secret}' }
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential }, { secret: 'gateway-secret' })
  assert.equal((await forwarding.call({ headers: own })).status, 200)
  const [request = ''] = upstream.requests
  assert.deepEqual(request.match(/^x-api-key: .*$/gim), ['x-api-key: key gateway-secret'])
  assert.doesNotMatch(request, /agents-own/)
  assert.doesNotMatch(request, /^(?:authorization|cookie)/im)
})

test('an upstream without a credential gets none [T15]', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  await forwarding.call({ headers: own.filter(([name]) => name !== 'x-api-key') })
  assert.equal(upstream.requests.length, 1)
  assert.doesNotMatch(upstream.requests[0] ?? '', /agents-own/)
})

test('a credential that is not set sends nothing [T15]', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential: { secret: 'crm' } })
  const seen = await forwarding.call({ headers: own })
  assert.equal(seen.code, 'forward.credential-missing')
  assert.equal(upstream.connections, 0)
})

test('a header named by the agent’s Connection field does not remove the credential [T15]', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, credential: { secret: 'crm' } }, { secret: 'gateway-secret' })
  await forwarding.call({ headers: [['connection', 'authorization, host']] })
  assert.match(upstream.requests[0] ?? '', /^authorization: Bearer gateway-secret\r$/m)
  assert.match(upstream.requests[0] ?? '', /^host: 127\.0\.0\.1:[0-9]+\r$/m)
})
