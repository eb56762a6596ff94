import assert from 'node:assert/strict'
import test from 'node:test'
import { clientLoginGate } from '../fixtures/client-login.ts'
import { askAgent } from '../fixtures/people.ts'

test('a program’s token is nothing without the agent’s certificate, and at the bridge nothing without the secret', async () => {
  await using gate = await clientLoginGate()
  const thief = await gate.bridgeOf('thief')
  const { body } = await gate.exchange((await gate.logIn()).searchParams.get('code'))
  const token = String(body['access_token'])
  assert.equal((await gate.call('/mcp/crm', token)).status, 200)

  const elsewhere = await gate.call('/mcp/crm', token, thief.bridge, thief.secret)
  assert.deepEqual([elsewhere.status, JSON.parse(elsewhere.text).code], [401, 'identity.ticket-invalid'])
  assert.equal((await askAgent(gate.people, '/mcp/crm', {}, [['sallyport-ticket', token]], 'thief')).said, 'identity.ticket-invalid')
  // Whoever got one through the login of this bridge, which needs no secret, has gained nothing.
  for (const secret of ['', token, 'x'.repeat(43)]) {
    const guessed = await gate.call('/mcp/crm', token, gate.bridge, secret)
    assert.deepEqual([guessed.status, JSON.parse(guessed.text).code], [401, 'connect.secret-required'])
  }
  const refreshed = await gate.token({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: gate.clientId }, thief.bridge)
  assert.equal(refreshed.body['error'], 'invalid_grant')
  const own = await gate.token({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: gate.clientId })
  assert.equal(own.status, 200, 'and the session of its owner goes on')
})
