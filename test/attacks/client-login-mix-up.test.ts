import assert from 'node:assert/strict'
import test from 'node:test'
import { validateAuthorizationResponseIssuer } from '@modelcontextprotocol/client'
import { no, yes } from '../fixtures/browser.ts'
import { clientLoginGate } from '../fixtures/client-login.ts'

test('every answer of a login, errors included, says whose it is: a client that asked another server does not take it for that one’s', async () => {
  await using gate = await clientLoginGate()
  const answers = [await gate.logIn({}, yes), await gate.logIn({}, no), new URL((await gate.ask({ response_type: 'token' })).location)]
  for (const { searchParams } of answers) {
    assert.deepEqual(searchParams.getAll('iss'), [gate.bridge.url])
    assert.deepEqual(searchParams.getAll('state'), ['of-the-program'])
    const iss = searchParams.get('iss') ?? undefined
    validateAuthorizationResponseIssuer({ iss, expectedIssuer: gate.bridge.url, issParameterSupported: true })
    assert.throws(() => validateAuthorizationResponseIssuer({ iss, expectedIssuer: 'https://honest.example', issParameterSupported: true }))
  }
})

test('a code of one agent’s bridge, which a client is made to show at another’s, is nothing there', async () => {
  await using gate = await clientLoginGate()
  const other = await gate.bridgeOf('other')
  const code = (await gate.logIn()).searchParams.get('code')
  assert.equal((await gate.exchange(code, {}, other.bridge)).body['error'], 'invalid_grant')
})
