// An agent that holds a key of its own (leaked, or of another account) would use the provider past the operator's account, or choose whose account pays.
import assert from 'node:assert/strict'
import test from 'node:test'
import { chat, LlmGateway, providerKey } from '../fixtures/llm-gateway.ts'

const own = 'sk-agents-own-key-123'

test('a key that the agent brings is dropped, in whatever header, and the gateway shows its own [T15]', async () => {
  await using gateway = await LlmGateway.start()
  const credentials = [
    { authorization: `Bearer ${own}` },
    { 'x-api-key': own },
    { authorization: `Bearer ${own}`, 'x-api-key': own },
    { 'api-key': own, 'x-goog-api-key': own, 'ocp-apim-subscription-key': own, cookie: `key=${own}` },
    { 'openai-organization': 'org-other', 'openai-project': 'proj-other', 'cf-aig-authorization': own, 'helicone-auth': own, 'x-portkey-api-key': own },
  ]
  for (const headers of credentials) {
    assert.equal((await gateway.ask({ headers, body: chat('use-1-1') })).status, 200)
    assert.equal((await gateway.ask({ upstream: 'anthropic', path: '/v1/messages', headers, body: chat('use-1-1', { max_tokens: 5 }) })).status, 200)
  }
  for (const [index, { headers }] of gateway.provider.asked.entries()) {
    assert.doesNotMatch(JSON.stringify(headers), /agents-own|other/)
    const shown = index % 2 === 0 ? [headers.authorization, headers['x-api-key']] : [headers['x-api-key'], headers.authorization]
    assert.deepEqual(shown, [index % 2 === 0 ? `Bearer ${providerKey}` : providerKey, undefined])
  }
})

test('no answer can be fetched that another agent got: no idempotency key passes [T15]', async () => {
  await using gateway = await LlmGateway.start()
  await gateway.ask({ headers: { 'idempotency-key': 'guessed', 'x-idempotency-key': 'guessed' }, body: chat('use-1-1') })
  assert.doesNotMatch(JSON.stringify(gateway.provider.asked), /guessed/)
})
