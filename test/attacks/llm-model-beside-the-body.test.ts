// Proxies in front of models let a header or a query parameter override the model that stands in the body.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

test('a model in a header does not pass, and one in the query is refused [T5]', async () => {
  await using gateway = await LlmGateway.start({ rules: [{ id: 'cheap', match: {}, when: 'args.model == "use-1-1"', then: 'permit' }] })
  const headers = {
    'x-model': 'dear',
    model: 'dear',
    'openai-model': 'dear',
    'x-litellm-model': 'dear',
    'x-stainless-model': 'dear',
    'x-http-method-override': 'PUT',
  }
  assert.equal((await gateway.ask({ headers, body: chat('use-1-1') })).status, 200)
  assert.doesNotMatch(JSON.stringify(gateway.provider.asked[0]?.headers), /dear|override/i)
  assert.equal(gateway.provider.asked[0]?.body['model'], 'use-1-1')
  for (const query of ['model=dear', 'api-version=1', 'beta=true', 'stream=true', '%6dodel=dear', 'key=sk-1']) {
    assertRefused(await gateway.ask({ path: `/v1/chat/completions?${query}`, body: chat('use-1-1') }), 'access.malformed')
  }
  for (const query of ['model=dear', 'beta=true&model=dear']) {
    const body = chat('use-1-1', { max_tokens: 5 })
    assertRefused(await gateway.ask({ upstream: 'anthropic', path: `/v1/messages?${query}`, body }), 'access.malformed')
  }
  assertRefused(await gateway.ask({ body: chat('dear') }), 'policy.no-rule')
  assert.equal(gateway.provider.asked.length, 1)
})
