// OWASP Server-Side Request Forgery: metadata whose addresses lead into the private network or to the cloud's credentials.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { compileProvider } from '../../packages/gateway/src/control/login/provider-definition.ts'
import { openProviderHttp } from '../../packages/gateway/src/control/login/provider-http.ts'
import { Provider } from '../../packages/gateway/src/control/login/provider.ts'
import { CrookedProvider } from '../fixtures/crooked-provider.ts'

const crooked = await CrookedProvider.start()
let connections = 0
const inner = createServer((socket) => void ((connections += 1), socket.destroy())).listen(0, '127.0.0.2')
await once(inner, 'listening')
const address = inner.address()
const port = typeof address === 'object' && address ? address.port : 0
after(async () => {
  inner.close()
  await crooked[Symbol.asyncDispose]()
})

function providerAt(): Provider {
  const given = { issuer: crooked.issuer, clientId: 'c', authentication: { method: 'secret' as const, secret: 's' }, addresses: { allow: ['127.0.0.1/32'] } }
  const compiled = compileProvider('idp', given, {})
  assert.ok(compiled.kind === 'compiled')
  const http = openProviderHttp(compiled.definition, { resolve: async () => ['10.1.2.3'] })
  return new Provider(compiled.definition, { http, credential: async () => ({ method: 'secret', secret: 'a secret' }), now: Date.now })
}

const challenge = { state: 's'.repeat(43), nonce: 'n'.repeat(43), verifier: 'v'.repeat(43), redirectUri: 'https://gate.example/callback/idp' }
const soon = (): AbortSignal => AbortSignal.timeout(5000)

/** What is asked of each endpoint, and how the gateway says that it was not. */
const uses = {
  token_endpoint: async (provider: Provider) => assert.equal((await provider.refresh('a refresh token', soon())).kind, 'unsent'),
  revocation_endpoint: async (provider: Provider) => assert.equal(await provider.revoke('a refresh token', soon()), false),
  pushed_authorization_request_endpoint: (provider: Provider) => assert.rejects(provider.authorizationUrl(challenge, soon())),
  device_authorization_endpoint: async (provider: Provider) => assert.ok('problem' in (await provider.startDevice(soon()))),
  jwks_uri: async (provider: Provider) => {
    const callback = new URLSearchParams({ code: 'c', state: challenge.state, iss: crooked.issuer })
    crooked.claims = (claims) => ({ ...claims, nonce: challenge.nonce, aud: 'c' })
    assert.ok('problem' in (await provider.exchange(callback, challenge, soon())))
  },
} as const

for (const target of [
  'http://169.254.169.254/latest/meta-data/',
  'https://169.254.169.254/token',
  'https://[fd00:ec2::254]/latest',
  'http://10.0.0.1/token',
  'https://inner.example/token',
  'http://localhost:9/token',
  `http://127.0.0.2:${port}/token`,
  `https://127.0.0.2:${port}/token`,
  'https://user:pass@idp.example/token',
  'file:///etc/passwd',
]) {
  test(`metadata that lead to ${target.replace(String(port), 'PORT')} lead the gateway nowhere`, async () => {
    for (const [endpoint, use] of Object.entries(uses)) {
      crooked.metadata = { [endpoint]: target }
      const provider = providerAt()
      await use(provider)
      await provider.close()
    }
    assert.equal(connections, 0)
  })
}

test('where they lead to the provider itself it is asked', async () => {
  crooked.metadata = {}
  const provider = providerAt()
  assert.equal(await provider.revoke('a refresh token', soon()), true)
  assert.equal(crooked.revoked.at(-1), 'a refresh token')
  await provider.close()
})
