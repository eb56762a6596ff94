// A provider, or something in its place, that tells an impossible usage must neither empty a budget nor refill it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const quota = { id: 'budget', match: { upstream: '*' }, per: ['tenant', 'agent', 'action'], window: '1h', tokens: 2000 }
const lies = ['lie-missing', 'lie-negative', 'lie-huge', 'lie-text', 'lie-fraction', 'lie-object', 'lie-cached', 'garbage']
const places = [
  { upstream: 'openai', path: '/v1/chat/completions', more: { max_tokens: 1500 } },
  { upstream: 'openai', path: '/v1/responses', more: { max_output_tokens: 1500, input: 'hi' } },
  { upstream: 'anthropic', path: '/v1/messages', more: { max_tokens: 1500 } },
] as const

for (const lie of lies) {
  test(`a usage that cannot be true counts as none, and the reserve as used: ${lie} [T6]`, async () => {
    await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 1500 } })
    for (const { upstream, path, more } of places) {
      const stream = lie !== 'garbage' && path !== '/v1/responses'
      const answer = await gateway.ask({ upstream, path, body: chat(lie, { stream, ...more }) })
      assert.equal(answer.status, 200, 'the answer passes all the same')
      assertRefused(await gateway.ask({ upstream, path, body: chat('use-1-1', more) }), 'policy.quota-exhausted')
    }
    for (const { result, usage } of await gateway.outcomes()) assert.deepEqual([result, usage], ['answered', undefined])
    await gateway.whole.assertLogVerifies(gateway.logKey)
  })
}

test('a usage above the reserve counts in full, and must drain before the next call [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 10 } })
  assert.equal((await gateway.ask({ body: chat('use-1000-9000') })).status, 200)
  const over = await gateway.ask({ body: chat('use-1-1') })
  assertRefused(over, 'policy.quota-exhausted')
  assert.ok(Number(over.headers['retry-after']) > 4 * 3600)
})
