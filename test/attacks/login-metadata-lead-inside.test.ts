import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import test from 'node:test'
import { compileProvider } from '../../packages/gateway/src/control/login/provider-definition.ts'
import { openProviderHttp } from '../../packages/gateway/src/control/login/provider-http.ts'
import { Provider } from '../../packages/gateway/src/control/login/provider.ts'

for (const target of [
  'http://169.254.169.254/latest/meta-data/',
  'http://10.0.0.1/token',
  'http://localhost:9/token',
  'https://169.254.169.254/token',
  'https://127.0.0.2/token',
  'file:///etc/passwd',
]) {
  test(`metadata whose token endpoint is ${target} lead the gateway nowhere`, async () => {
    const server = createServer((_, response) => {
      const issuer = `http://127.0.0.1:${port}`
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer, token_endpoint: target, revocation_endpoint: target }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const compiled = compileProvider(
      'idp',
      {
        issuer: `http://127.0.0.1:${port}`,
        clientId: 'c',
        authentication: { method: 'secret', secret: 's' },
        addresses: { allow: ['127.0.0.1/32'] },
      },
      {},
    )
    assert.ok(compiled.kind === 'compiled')
    const http = openProviderHttp(compiled.definition, { resolve: async () => ['127.0.0.1'] })
    const provider = new Provider(compiled.definition, { http, reveal: async () => 'a secret', now: Date.now })
    try {
      const answer = await provider.refresh('a refresh token', AbortSignal.timeout(5000))
      assert.equal(answer.kind, 'unsent')
      assert.equal(await provider.revoke('a refresh token', AbortSignal.timeout(5000)), false)
    } finally {
      await provider.close()
      server.close()
      server.closeAllConnections()
    }
  })
}
