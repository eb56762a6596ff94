import assert from 'node:assert/strict'
import test from 'node:test'
import { clientLoginGate } from '../fixtures/client-login.ts'

test('no browser is ever sent to an address that the program has not registered, not even with an error', async () => {
  await using gate = await clientLoginGate()
  const clientId = gate.document('/two.json', (id) => ({
    client_id: id,
    redirect_uris: ['http://127.0.0.1/callback', 'https://app.example/done?from=sallyport'],
  }))
  const elsewhere = [
    'https://evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1@evil.example/callback',
    'http://evil.example/callback',
    'http://127.0.0.1:1/callback/../steal',
    'http://127.0.0.1:1/callback?next=https://evil.example',
    'http://127.0.0.1:1/callback#x',
    'http://127.0.0.1:1/Callback',
    'http://localhost:1/callback',
    'https://app.example:444/done?from=sallyport',
    'https://app.example/done',
    'javascript:alert(1)//127.0.0.1/callback',
    '//evil.example/callback',
    '',
    undefined,
  ]
  for (const redirect_uri of elsewhere) {
    // A request that is wrong in other ways too would be answered by a redirect.
    for (const response_type of ['code', 'token']) {
      const { status, location } = await gate.ask({ client_id: clientId, redirect_uri, response_type })
      assert.deepEqual([status, location], [400, ''], String(redirect_uri))
    }
  }
  const right = await gate.ask({ client_id: clientId, redirect_uri: 'https://app.example/done?from=sallyport', response_type: 'token' })
  assert.match(right.location, /^https:\/\/app\.example\/done\?from=sallyport&error=unsupported_response_type&/)
})

test('addresses that no answer goes to are none of a program that registers them', async () => {
  await using gate = await clientLoginGate()
  for (const [index, address] of [
    'http://evil.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'evil://callback',
  ].entries()) {
    const client_id = gate.document(`/odd-${index}.json`, (id) => ({ client_id: id, redirect_uris: [address] }))
    const { status, location } = await gate.ask({ client_id, redirect_uri: address })
    assert.deepEqual([status, location], [400, ''], address)
  }
})
