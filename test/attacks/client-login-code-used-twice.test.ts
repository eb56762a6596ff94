import assert from 'node:assert/strict'
import test from 'node:test'
import { clientLoginGate } from '../fixtures/client-login.ts'
import { sessionEvents } from '../fixtures/people.ts'

test('a code that is shown twice gives nothing again, and ends the session that it gave', async () => {
  await using gate = await clientLoginGate()
  const code = (await gate.logIn()).searchParams.get('code')
  const { body } = await gate.exchange(code)
  const token = String(body['access_token'])
  assert.equal((await gate.call('/mcp/crm', token)).status, 200)
  const again = await gate.exchange(code)
  assert.deepEqual([again.status, again.body['error']], [400, 'invalid_grant'])
  assert.equal((await gate.call('/mcp/crm', token)).status, 401)
  const refreshed = await gate.token({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: gate.clientId })
  assert.equal(refreshed.body['error'], 'invalid_grant')
  const last = (await sessionEvents(gate.people)).find(({ act }) => act === 'revoked')
  assert.equal(last?.reason, 'its authorization code was shown twice')
})

test('of many who show a code at once one at most gets a session, and none keeps it', async () => {
  await using gate = await clientLoginGate()
  const code = (await gate.logIn()).searchParams.get('code')
  const answers = await Promise.all(Array.from({ length: 5 }, () => gate.exchange(code)))
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
  const acts = (await sessionEvents(gate.people)).map(({ act }) => act)
  assert.equal(acts.filter((act) => act === 'opened').length, 1)
  assert.ok(acts.includes('revoked'))
  for (const { body } of answers.filter(({ status }) => status === 200)) assert.equal((await gate.call('/mcp/crm', String(body['access_token']))).status, 401)
})
