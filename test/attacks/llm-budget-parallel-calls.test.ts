// Use is known only when a model has answered. Calls that start together would each find the budget untouched.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const budget = (limit: object): object => ({ id: 'budget', match: { upstream: '*' }, per: ['tenant', 'agent'], window: '1h', ...limit })

test('parallel calls never use more than the budget, and what they did not use comes back [T5] [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [budget({ tokens: 1000 })], upstream: { maxOutputTokens: 200 } })
  const bytes = JSON.stringify({ ...chat('slow'), max_completion_tokens: 200 }).length
  const fitting = Math.floor(1000 / (bytes + 200))
  const refused = Promise.withResolvers<void>()
  let left = 20 - fitting
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const asking = gateway.ask({ body: chat('slow') })
      void asking.then(({ status }) => status === 429 && (left -= 1) === 0 && refused.resolve())
      await refused.promise
      gateway.provider.release()
      return asking
    }),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, fitting)
  assert.equal(gateway.provider.asked.length, fitting)
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    assertRefused(answer, 'policy.quota-exhausted')
    assert.ok(Number(answer.headers['retry-after']) > 0)
  }
  assert.equal(gateway.provider.asked[0]?.body['max_completion_tokens'], 200, 'what is not limited by the agent is limited by the gateway')
  // One after the other only the settled use counts, 15 tokens each, and room for the most that the next can use.
  while ((await gateway.ask({ body: chat('slow') })).status === 200);
  assert.equal(gateway.provider.asked.length, Math.floor((1000 - bytes - 200) / 15) + 1)
})

test('many answers to one call count as many, and a limit that is too large never passes [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [budget({ tokens: 2000 })], upstream: { maxOutputTokens: 100 } })
  assertRefused(await gateway.ask({ body: chat('use-1-1', { n: 20 }) }), 'policy.quota-exhausted')
  const tooLarge = await gateway.ask({ body: chat('use-1-1', { max_tokens: 1, max_completion_tokens: 5000 }) })
  assertRefused(tooLarge, 'policy.quota-exhausted')
  assert.equal(tooLarge.headers['retry-after'], undefined, 'waiting would not help')
  assert.match(tooLarge.text, /name fewer output tokens/)
  for (const more of [{ n: 0 }, { n: -1 }, { n: 1.5 }, { n: '20' }, { max_tokens: -5 }, { max_tokens: '5' }, { max_tokens: 1e9 }, { max_tokens: 0.5 }])
    assertRefused(await gateway.ask({ body: chat('use-1-1', more) }), 'access.malformed')
  const unbounded = await gateway.ask({ upstream: 'anthropic', path: '/v1/messages', body: chat('use-1-1', { max_tokens: 1500 }) })
  assert.equal(unbounded.status, 200)
  assert.equal(gateway.provider.asked.length, 1)
})

test('a model without a price cannot be used under a budget of cost [T6]', async () => {
  const prices = { 'use-100-100': { input: 1000, output: 4000 } }
  await using gateway = await LlmGateway.start({ quotas: [budget({ cost: 1 })], upstream: { maxOutputTokens: 100, prices } })
  const unpriced = await gateway.ask({ body: chat('use-1-1') })
  assertRefused(unpriced, 'policy.quota-exhausted')
  assert.match(unpriced.text, /has a price/)
  for (let half = 0; half < 2; half += 1) assert.equal((await gateway.ask({ body: chat('use-100-100') })).status, 200)
  assertRefused(await gateway.ask({ body: chat('use-100-100') }), 'policy.quota-exhausted')
  const used = (await gateway.outcomes()).flatMap(({ usage }) => usage ?? [])
  assert.deepEqual(used, [
    { inputTokens: 100, outputTokens: 100, cost: 0.5 },
    { inputTokens: 100, outputTokens: 100, cost: 0.5 },
  ])
})

test('a budget and a restart: what was used stays used [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [budget({ tokens: 600 })], upstream: { maxOutputTokens: 300 } })
  assert.equal((await gateway.ask({ body: chat('use-100-300') })).status, 200)
  await gateway.whole.stop()
  await gateway.whole.start()
  assertRefused(await gateway.ask({ body: chat('use-1-1') }), 'policy.quota-exhausted')
  assert.equal(gateway.provider.asked.length, 1)
})
