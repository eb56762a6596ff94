import assert from 'node:assert/strict'
import test from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { clientLoginGate } from '../fixtures/client-login.ts'
import { askAgent } from '../fixtures/people.ts'

test('a token for one resource counts at no other, also after a refresh, and cannot be passed on', async () => {
  await using gate = await clientLoginGate()
  const came = await gate.logIn()
  const { body } = await gate.exchange(came.searchParams.get('code'), { resource: `${gate.bridge.url}/mcp/crm` })
  const refresh = (handle: unknown, resource: string | undefined) =>
    gate.token({ grant_type: 'refresh_token', refresh_token: String(handle), client_id: gate.clientId, resource })
  const widened = await refresh(body['refresh_token'], `${gate.bridge.url}/mcp/docs`)
  assert.deepEqual([widened.status, widened.body['error']], [400, 'invalid_grant'])
  const refreshed = await refresh(body['refresh_token'], undefined)
  assert.equal(refreshed.status, 200)
  for (const token of [String(body['access_token']), String(refreshed.body['access_token'])]) {
    assert.equal((await gate.call('/mcp/crm', token)).status, 200)
    for (const elsewhere of ['/mcp/docs', '/mcp']) assert.equal((await gate.call(elsewhere, token)).status, 401, elsewhere)
    // Its agent itself has no other use of it either.
    for (const path of [ownPaths.whoami, '/http/api/things/1', '/mcp/docs']) {
      const asked = await askAgent(gate.people, path, undefined, [['sallyport-ticket', token]])
      assert.equal(asked.said, 'identity.ticket-invalid', path)
    }
    const exchanged = await askAgent(
      gate.people,
      ownPaths.sessionDelegate,
      new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        audience: 'spiffe://agents.example/tenant/acme/agent/other',
      }),
    )
    assert.equal(exchanged.said, 'identity.ticket-invalid')
  }
})

test('nobody is asked for a resource that is not served here', async () => {
  await using gate = await clientLoginGate()
  const { url } = gate.bridge
  for (const resource of [
    `${url}/mcp/none`,
    `${url}/mcp/secret`,
    `${url}/http/api`,
    `${url}/mcp/crm/`,
    `${url}/mcp/crm?x`,
    'https://other.example/mcp/crm',
    '',
    undefined,
  ]) {
    const sent = new URL((await gate.ask({ resource })).location)
    assert.deepEqual([sent.host, sent.searchParams.get('error')], ['127.0.0.1:33418', 'invalid_target'], resource)
  }
})
