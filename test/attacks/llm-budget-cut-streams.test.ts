// The usage stands at the end of a stream. An agent that reads all but the end and hangs up would never be charged.
import assert from 'node:assert/strict'
import test from 'node:test'
import { request } from 'undici'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const quota = { id: 'budget', match: { upstream: '*' }, per: ['tenant', 'agent'], window: '1h', tokens: 1000 }
const places = [
  { upstream: 'openai', path: '/v1/chat/completions', more: { max_tokens: 700 } },
  { upstream: 'openai', path: '/v1/chat/completions', more: { max_tokens: 700, stream_options: { include_usage: true, continuous_usage_stats: true } } },
  { upstream: 'anthropic', path: '/v1/messages', more: { max_tokens: 700 } },
] as const

for (const { upstream, path, more } of places) {
  test(`a stream that the agent cuts keeps its reserve: ${upstream} ${Object.keys(more).join(', ')} [T6]`, async () => {
    await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 700 } })
    const gone = new AbortController()
    const answered = await request(`${gateway.url}/llm/${upstream}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chat('stuck', { stream: true, ...more })),
      dispatcher: await gateway.dispatcher(),
      signal: gone.signal,
    })
    for await (const piece of answered.body) {
      assert.match(String(piece), /data/)
      break
    }
    gone.abort()
    assertRefused(await gateway.ask({ upstream, path, body: chat('use-1-1', more) }), 'policy.quota-exhausted')
    const [outcome] = await gateway.outcomes()
    assert.deepEqual([outcome?.result, outcome?.usage], ['cancelled', undefined])
    await gateway.whole.start()
    assertRefused(await gateway.ask({ upstream, path, body: chat('use-1-1', more) }), 'policy.quota-exhausted')
    assert.equal(gateway.provider.asked.length, 1)
  })

  test(`so does one that the provider cuts: ${upstream} ${Object.keys(more).join(', ')} [T6]`, async () => {
    await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 700 } })
    await assert.rejects(gateway.ask({ upstream, path, body: chat('cut', { stream: true, ...more }) }))
    assertRefused(await gateway.ask({ upstream, path, body: chat('use-1-1', more) }), 'policy.quota-exhausted')
    assert.deepEqual(
      (await gateway.outcomes()).map(({ result, usage }) => [result, usage]),
      [['failed', undefined]],
    )
  })
}

test('a call that never left gives its reserve back, and so does one that the provider refused; a provider that failed keeps it [T6]', async () => {
  await using gateway = await LlmGateway.start({ quotas: [quota], upstream: { maxOutputTokens: 700 } })
  assert.equal((await gateway.ask({ body: chat('status-429') })).status, 429)
  assert.equal((await gateway.ask({ body: chat('status-400') })).status, 400)
  await gateway.whole.admin('secret.remove', { name: 'provider', person: 'alice' })
  assertRefused(await gateway.ask({ body: chat('use-1-1') }), 'forward.credential-missing')
  await gateway.whole.admin('secret.set', { name: 'provider', value: 'sk-another-0123456789', person: 'alice' })
  assert.equal((await gateway.ask({ body: chat('status-500') })).status, 500)
  assertRefused(await gateway.ask({ body: chat('use-1-1') }), 'policy.quota-exhausted')
  const nothing = { inputTokens: 0, outputTokens: 0 }
  const outcomes = (await gateway.outcomes()).map(({ status, sent, usage }) => [status, sent, usage])
  assert.deepEqual(outcomes, [
    [429, undefined, nothing],
    [400, undefined, nothing],
    [undefined, false, undefined],
    [500, undefined, undefined],
  ])
})
