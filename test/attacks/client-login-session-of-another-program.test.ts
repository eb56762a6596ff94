import assert from 'node:assert/strict'
import test from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { clientLoginGate } from '../fixtures/client-login.ts'
import { askAgent, logIn } from '../fixtures/people.ts'

test('a session of one program is refreshed and ended by no other, nor by its agent, which cannot take it up either', async () => {
  await using gate = await clientLoginGate()
  const other = gate.document('/other.json', (id) => ({ client_id: id, redirect_uris: ['http://127.0.0.1/callback'] }))
  const { body } = await gate.exchange((await gate.logIn()).searchParams.get('code'))
  const handle = String(body['refresh_token'])
  const refresh = (client_id: string, refresh_token = handle) => gate.token({ grant_type: 'refresh_token', refresh_token, client_id })
  assert.equal((await refresh(other)).body['error'], 'invalid_grant')
  await fetch(`${gate.bridge.url}/oauth/revoke`, { method: 'POST', body: new URLSearchParams({ token: handle, client_id: other }) })
  for (const path of [ownPaths.sessionRefresh, ownPaths.sessionEnd]) assert.equal((await askAgent(gate.people, path, { handle })).said, 'session.invalid')
  assert.equal((await askAgent(gate.people, ownPaths.sessionClaim, {})).said, 'session.none')
  assert.equal((await refresh(gate.clientId)).status, 200)

  await logIn(gate.people)
  const own = await askAgent(gate.people, ownPaths.sessionClaim, {})
  assert.equal((await refresh(gate.clientId, String(own.body['handle']))).body['error'], 'invalid_grant', 'nor the agent’s by a program')
})
