// A provider that shows the key in its error message, as some do, would hand it to the agent.
import assert from 'node:assert/strict'
import test from 'node:test'
import { chat, LlmGateway, providerKey } from '../fixtures/llm-gateway.ts'

test('an error of the provider passes with its status, and the key in it is masked [T15]', async () => {
  await using gateway = await LlmGateway.start()
  for (const status of [400, 401, 429, 500, 529]) {
    const openai = await gateway.ask({ body: chat(`status-${status}`) })
    const anthropic = await gateway.ask({ upstream: 'anthropic', path: '/v1/messages', body: chat(`status-${status}`, { max_tokens: 5 }) })
    for (const answer of [openai, anthropic]) {
      assert.equal(answer.status, status)
      assert.equal(answer.headers['request-id'], 'req_1')
      assert.ok(answer.text.includes(`no luck with ${answer === openai ? 'Bearer ' : ''}${'*'.repeat(providerKey.length)}`), answer.text)
    }
  }
})
