import assert from 'node:assert/strict'
import test from 'node:test'
import { clientLoginGate } from '../fixtures/client-login.ts'

test('a stolen code is nothing on the certificate of another agent, and the theft does not spend it', async () => {
  await using gate = await clientLoginGate()
  const thief = await gate.bridgeOf('thief')
  const code = (await gate.logIn()).searchParams.get('code')
  const stolen = await gate.exchange(code, { resource: undefined }, thief.bridge)
  assert.deepEqual([stolen.status, stolen.body['error']], [400, 'invalid_grant'])
  assert.equal(stolen.body['access_token'], undefined)
  assert.equal((await gate.exchange(code)).status, 200, 'its owner still gets the session')
})

test('a stolen code is nothing without the verifier, under another client_id, address or resource', async () => {
  await using gate = await clientLoginGate()
  const other = gate.document('/other.json', (id) => ({ client_id: id, redirect_uris: ['http://127.0.0.1/callback'] }))
  const code = (await gate.logIn()).searchParams.get('code')
  const injected = [
    { code_verifier: 'x'.repeat(43) },
    { client_id: other },
    { redirect_uri: 'http://127.0.0.1:33419/callback' },
    { resource: `${gate.bridge.url}/mcp/docs` },
  ]
  for (const changed of injected) {
    const { status, body } = await gate.exchange(code, changed)
    assert.deepEqual([status, body['error']], [400, 'invalid_grant'], JSON.stringify(changed))
  }
  assert.equal((await gate.exchange(code)).status, 200)
})
