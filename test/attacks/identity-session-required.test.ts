import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantedScopes, sessionGate } from '../fixtures/whole-sessions.ts'

test('[S1] where a tenant needs sessions nothing passes without a ticket but what gets one, whoami and the renewal', async () => {
  await using gate = await sessionGate({ sessions: { required: 'acme' } })
  const held = await gate.held()
  for (const path of ['/http/api/things/1', '/sallyport/v1/catalog', '/mcp', '/mcp/api', '/llm/api/v1/messages', '/sallyport/v1/nothing', '/']) {
    const { status, body } = await gate.ask(held, path)
    assert.deepEqual([status, body['code']], [401, 'identity.session-required'])
    assert.match(JSON.stringify(body['detail'] ?? body['error']), /session\/claim/)
  }
  for (const path of ['/sallyport/v1/whoami/', '/sallyport/v1/session/claim/../../../http/api/things/1', '/sallyport/v1/%73ession/claim'])
    assert.notEqual((await gate.ask(held, path)).said, 'answered')
  assert.deepEqual(gate.whole.seen, [])

  assert.equal((await gate.ask(held, '/sallyport/v1/whoami')).said, 'answered')
  assert.equal((await gate.ask(held, '/sallyport/v1/jwks')).said, 'answered')
  assert.equal((await gate.ask(held, '/sallyport/v1/certificate', [], { csr: 'none' })).said, 'identity.renewal-refused')
  const { session, ticket, handle } = await gate.claim(held)
  assert.equal((await gate.ask(held, '/sallyport/v1/session/refresh', [], { handle })).said, 'answered')
  const shown = [['sallyport-ticket', ticket]] as const
  assert.equal((await gate.ask(held, '/http/api/things/1', shown)).said, 'answered')
  assert.deepEqual((await gate.ask(held, '/sallyport/v1/whoami', shown)).body['session'], {
    id: session,
    person: 'alice',
    issuer: gate.people.provider.issuer,
    scopes: grantedScopes,
  })
  assert.equal((await gate.ask(held, '/sallyport/v1/whoami', [['sallyport-ticket', 'x']])).said, 'identity.ticket-invalid', 'never ignored')
})

test('other tenants need none', async () => {
  await using gate = await sessionGate({ sessions: { required: ['other', 'acme-*'] } })
  assert.equal((await gate.ask(await gate.held(), '/http/api/things/1')).said, 'answered')
})
