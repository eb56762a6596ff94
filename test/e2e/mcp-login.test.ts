import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, StreamableHTTPClientTransport, UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/client'
import { clientLoginGate, consent, redirectUri, type ClientLoginGate } from '../fixtures/client-login.ts'
import { operator } from '../fixtures/operator.ts'
import { sessionEvents } from '../fixtures/people.ts'

/** A client as its users have it: with the official SDK's own OAuth, which keeps what it gets, and a browser. */
function sdkClient({ clientId }: ClientLoginGate) {
  const kept: { tokens?: unknown; verifier?: string; discovery?: unknown; client?: unknown; asked?: URL } = {}
  const provider: OAuthClientProvider = {
    redirectUrl: redirectUri,
    clientMetadataUrl: clientId,
    clientMetadata: {
      client_name: 'A test program',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'of-the-sdk',
    clientInformation: () => kept.client as never,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens as never,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.asked = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    discoveryState: () => kept.discovery as never,
    saveDiscoveryState: (state) => void (kept.discovery = state),
  }
  return { kept, provider }
}

for (const threads of [0, 2]) {
  test(`a client with the official SDK logs its person in with a browser, calls with its token, and refreshes it, with ${threads} threads`, async () => {
    await using gate = await clientLoginGate({ ticket: '30s' }, threads)
    const { kept, provider } = sdkClient(gate)
    const open = () =>
      new StreamableHTTPClientTransport(new URL(`${gate.bridge.url}/mcp/crm`), {
        authProvider: provider,
        requestInit: { headers: { 'x-sallyport-secret': gate.secret } },
      })
    const first = open()
    await assert.rejects(new Client({ name: 'test', version: '1' }).connect(first), UnauthorizedError)
    assert.ok(kept.asked)
    assert.equal(kept.asked.searchParams.get('resource'), `${gate.bridge.url}/mcp/crm`)
    assert.equal(kept.asked.searchParams.get('scope'), 'read')
    const sent = await fetch(kept.asked, { redirect: 'manual' })
    const came = await consent(sent.headers.get('location') ?? '')
    assert.equal(came.searchParams.get('state'), 'of-the-sdk')
    await first.finishAuth(came.searchParams)
    const tokens = kept.tokens as { access_token: string; refresh_token: string; expires_in: number; scope: string }
    assert.ok(tokens.expires_in <= 30)
    assert.deepEqual(tokens.scope.split(' ').sort(), ['offline_access', 'openid', 'read'])

    const client = new Client({ name: 'test', version: '1' })
    await client.connect(open())
    assert.ok((await client.listTools()).tools.length > 0)
    await client.close()

    // The access token stops counting: the SDK refreshes by itself, through the one gate.
    kept.tokens = { ...tokens, access_token: 'over' }
    const again = new Client({ name: 'test', version: '1' })
    await again.connect(open())
    assert.ok((await again.listTools()).tools.length > 0)
    await again.close()
    assert.notEqual((kept.tokens as typeof tokens).refresh_token, tokens.refresh_token)
    const acts = (await sessionEvents(gate.people)).map(({ act, client: program, resource }) => [act, program, resource])
    assert.deepEqual(acts[0], ['opened', gate.clientId, '/mcp/crm'])
    assert.ok(acts.some(([act]) => act === 'refreshed'))
    const [session] = await sessionEvents(gate.people)
    const { stdout } = await operator(gate.people.whole, ['session', 'show', session?.session ?? ''])
    assert.ok(stdout.includes(gate.clientId) && stdout.includes('/mcp/crm'), stdout)
    const calls = (await gate.people.whole.events()).flatMap((event) => (event.type === 'decision' && event.upstream === 'crm' ? [event] : []))
    assert.ok(calls.length > 0 && calls.every(({ caller }) => caller.session !== undefined))
    assert.deepEqual(gate.people.whole.faults, [])
  })
}

test('the metadata name the address that the client uses, and list nothing that outlives the session', async () => {
  await using gate = await clientLoginGate()
  const named = `http://localhost:${gate.bridge.port}`
  const challenged = await gate.call('/mcp/crm', undefined)
  assert.equal(challenged.status, 401)
  const at = `${gate.bridge.url}/.well-known/oauth-protected-resource/mcp/crm`
  assert.equal(challenged.headers.get('www-authenticate'), `Bearer resource_metadata="${at}", scope="read"`)
  const resource = await (await fetch(at.replace(gate.bridge.url, named))).json()
  assert.deepEqual(resource, { resource: `${named}/mcp/crm`, authorization_servers: [named], scopes_supported: ['read'], bearer_methods_supported: ['header'] })
  const server = (await (await fetch(`${gate.bridge.url}/.well-known/oauth-authorization-server`)).json()) as Record<string, unknown>
  assert.equal(server['issuer'], gate.bridge.url)
  assert.deepEqual(server['code_challenge_methods_supported'], ['S256'])
  assert.equal(server['client_id_metadata_document_supported'], true)
  assert.equal(server['authorization_response_iss_parameter_supported'], true)
  assert.equal(server['registration_endpoint'], undefined)
  for (const nowhere of ['secret', 'none']) assert.equal((await fetch(at.replace('crm', nowhere))).status, 404, 'what no rule opens is not there')
})

test('who says no, and a program that revokes, get the answers of OAuth; the session ends with its tickets', async () => {
  await using gate = await clientLoginGate()
  const denied = await gate.logIn({}, { name: 'answer', value: 'no' })
  assert.deepEqual(Object.fromEntries(denied.searchParams), { error: 'access_denied', iss: gate.bridge.url, state: 'of-the-program' })
  const came = await gate.logIn()
  const { body, status, cacheControl } = await gate.exchange(came.searchParams.get('code'))
  assert.deepEqual([status, cacheControl, body['token_type']], [200, 'no-store', 'Bearer'])
  const token = String(body['access_token'])
  assert.equal((await gate.call('/mcp/crm', token)).status, 200)
  const revoked = await fetch(`${gate.bridge.url}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token: String(body['refresh_token']), client_id: gate.clientId }),
  })
  assert.equal(revoked.status, 200)
  const refused = await gate.call('/mcp/crm', token)
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token", resource_metadata=/)
})

test('the page before the consent names the program by its host, the agent, the resource, and where the answer goes', async () => {
  await using gate = await clientLoginGate()
  const { location } = await gate.ask()
  const page = await (await fetch(location)).text()
  for (const shown of [new URL(gate.clientId).host, 'acme/bot', '/mcp/crm', '127.0.0.1:33418', gate.clientId]) assert.ok(page.includes(shown), shown)
})

test('a scope that the program asks for is all that the person is asked for', async () => {
  await using gate = await clientLoginGate()
  const came = await gate.logIn({ scope: '' })
  const { body } = await gate.exchange(came.searchParams.get('code'))
  assert.deepEqual(String(body['scope']).split(' ').sort(), ['offline_access', 'openid'])
  const wide = await gate.ask({ scope: 'read admin' })
  assert.equal(new URL(wide.location).searchParams.get('error'), 'invalid_scope')
})

test('without sessions.clients none of this is there', async () => {
  await using gate = await clientLoginGate({ clients: undefined })
  const challenged = await gate.call('/mcp/crm', undefined)
  assert.deepEqual([challenged.status, challenged.headers.get('www-authenticate')], [401, null])
  for (const path of ['/.well-known/oauth-protected-resource/mcp/crm', '/.well-known/oauth-authorization-server', '/oauth/authorize'])
    assert.equal((await fetch(`${gate.bridge.url}${path}`, { redirect: 'manual' })).status, 404)
  assert.equal((await gate.exchange('x')).status, 400)
})
