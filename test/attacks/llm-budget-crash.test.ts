// Calls that are under way when the gateway goes down have no outcome. Were they forgotten, bringing it down would be a way to use models for nothing.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const quota = { id: 'budget', match: { upstream: '*' }, per: ['tenant', 'agent'], window: '1h', tokens: 1000 }

test('what was under way when the gateway went down counts as used, then and after the next restart [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 800 } })
  const seen = new Promise<void>((resolve) => (gateway.provider.onAsked = resolve))
  const lost = gateway.ask({ body: chat('slow') })
  await seen
  await using restarted = await gateway.afterCrash()
  assertRefused(await restarted.ask({ body: chat('use-1-1') }), 'policy.quota-exhausted')
  await restarted.whole.stop()
  await restarted.whole.start()
  assertRefused(await restarted.ask({ body: chat('use-1-1') }), 'policy.quota-exhausted')
  await restarted.whole.stop()
  await restarted.whole.assertLogVerifies(restarted.logKey)
  gateway.provider.release()
  assert.equal((await lost).status, 200)
  assert.equal(gateway.provider.asked.length, 1)
})

test('and then it drains like any other use [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [{ ...quota, window: '1s' }], upstream: { maxOutputTokens: 800 } })
  const seen = new Promise<void>((resolve) => (gateway.provider.onAsked = resolve))
  const lost = gateway.ask({ body: chat('slow') })
  await seen
  await using restarted = await gateway.afterCrash()
  const deadline = Date.now() + 5000
  while ((await restarted.ask({ body: chat('use-1-1') })).status !== 200) assert.ok(Date.now() < deadline, 'what nobody settles is held for ever')
  gateway.provider.release()
  await lost
})
