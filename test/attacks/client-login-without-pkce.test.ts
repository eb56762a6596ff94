import assert from 'node:assert/strict'
import test from 'node:test'
import { challenge, clientLoginGate, verifier } from '../fixtures/client-login.ts'

test('a login without PKCE, or with its plain form, asks nobody, and a verifier is needed where its challenge was', async () => {
  await using gate = await clientLoginGate()
  const weak = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge: undefined },
    { code_challenge_method: undefined },
    { code_challenge: verifier, code_challenge_method: 'plain' },
    { code_challenge: 'short' },
    { code_challenge: '' },
  ]
  for (const changed of weak) {
    const sent = new URL((await gate.ask(changed)).location)
    assert.deepEqual([sent.host, sent.searchParams.get('error')], ['127.0.0.1:33418', 'invalid_request'], JSON.stringify(changed))
  }
  const code = (await gate.logIn()).searchParams.get('code')
  for (const code_verifier of [undefined, '', challenge, `${verifier} `]) assert.equal((await gate.exchange(code, { code_verifier })).status, 400)
  assert.equal((await gate.exchange(code)).status, 200)
})
