import assert from 'node:assert/strict'
import test from 'node:test'
import { ownPaths, reachedAtHeader } from '@sallyport/contract'
import { clientLoginGate } from '../fixtures/client-login.ts'
import { askAgent } from '../fixtures/people.ts'

test('what says that clients reach it elsewhere than at this host’s loopback writes no address into metadata, challenges or answers', async () => {
  await using gate = await clientLoginGate()
  const others = [
    'https://evil.example',
    'http://evil.example',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1:1/x',
    'http://127.0.0.1:1"',
    'http://10.0.0.1:1',
    '',
  ]
  for (const origin of others) {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp/crm', '/oauth/authorize?client_id=x'])
      assert.equal((await askAgent(gate.people, path, undefined, [[reachedAtHeader, origin]])).said, 'access.unknown-target', origin)
    const refused = await askAgent(gate.people, '/mcp/crm', {}, [[reachedAtHeader, origin]])
    assert.equal(refused.headers['www-authenticate'], undefined)
  }
  assert.equal((await askAgent(gate.people, ownPaths.whoami)).said, 'answered')
})

test('a client cannot say for the bridge how it was reached', async () => {
  await using gate = await clientLoginGate()
  const answer = await fetch(`${gate.bridge.url}/.well-known/oauth-authorization-server`, { headers: { [reachedAtHeader]: 'http://127.0.0.1:1' } })
  assert.equal(((await answer.json()) as { issuer: string }).issuer, gate.bridge.url)
})
