// What a proxy, a sidecar or a cloud's front end says of the caller goes by hundreds of names, and so do credentials. An agent must not choose among them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const names = [
  'x-api-key',
  'api-key',
  'x-auth-token',
  'private-token',
  'x-amz-security-token',
  'x-webauth-user',
  'x-user',
  'x-user-id',
  'x-tenant-id',
  'cf-connecting-ip',
  'fastly-client-ip',
  'x-forwarded',
  'x-real-ip',
  'x-method',
  'x-http-method-override',
  'x-original-url',
  'x-goog-iap-jwt-assertion',
  'x-goog-authenticated-user-email',
  'x-amzn-oidc-data',
  'x-ms-client-principal',
  'x-ms-client-principal-id',
  'x-dry-run',
  'origin',
  'referer',
]

async function sent(headers: readonly string[]): Promise<string> {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed, headers: [...headers] })
  const ordinary = [
    ['accept', '*/*'],
    ['accept-language', 'de'],
    ['if-none-match', '"1"'],
    ['user-agent', 'agent/1'],
    ['idempotency-key', '7'],
  ] as const
  assert.equal((await forwarding.call({ headers: [...ordinary, ...names.map((name) => [name, 'of-the-agent'] as const)] })).status, 200)
  const [request = ''] = upstream.requests
  for (const [name, value] of ordinary) assert.ok(request.includes(`${name}: ${value}\r\n`), name)
  return request
}

test('no header reaches an upstream but the ordinary ones and those that its configuration names [T15]', async () => {
  assert.doesNotMatch(await sent([]), /of-the-agent/)
  assert.deepEqual((await sent(['x-dry-run'])).match(/^.*of-the-agent/gm), ['x-dry-run: of-the-agent'])
})
