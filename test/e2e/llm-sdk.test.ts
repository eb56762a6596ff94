import assert from 'node:assert/strict'
import test from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { fetch as undiciFetch } from 'undici'
import { LlmGateway, providerKey } from '../fixtures/llm-gateway.ts'

const prices = { 'use-100-20-60': { input: 2.5, cachedInput: 1.25, output: 10 } }
const weather = { type: 'object' as const, properties: { city: { type: 'string' } } }
const messages = [{ role: 'user' as const, content: 'hi' }]

interface Clients {
  readonly openai: OpenAI
  readonly anthropic: Anthropic
}

async function throughBridge(gateway: LlmGateway): Promise<Clients> {
  const { bridge, secret } = await gateway.bridge()
  return {
    openai: new OpenAI({ baseURL: `${bridge.url}/llm/openai/v1`, apiKey: secret, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: `${bridge.url}/llm/anthropic`, apiKey: secret, authToken: null, maxRetries: 0 }),
  }
}

async function overMutualTls(gateway: LlmGateway): Promise<Clients> {
  const dispatcher = await gateway.dispatcher()
  // A dispatcher goes with the fetch of the same undici; its types are another copy of those that Node's own fetch has.
  const fetch = undiciFetch as unknown as typeof globalThis.fetch
  const common = { fetch, fetchOptions: { dispatcher }, apiKey: 'none', maxRetries: 0 }
  return {
    openai: new OpenAI({ ...common, baseURL: `${gateway.url}/llm/openai/v1` }),
    anthropic: new Anthropic({ ...common, authToken: null, baseURL: `${gateway.url}/llm/anthropic` }),
  }
}

for (const [way, connect] of [
  ['through connect', throughBridge],
  ['over mutual TLS', overMutualTls],
] as const) {
  test(`the official OpenAI client works unmodified ${way} [T2] [T15]`, async () => {
    await using gateway = await LlmGateway.start({ upstream: { prices } })
    const { openai } = await connect(gateway)
    const whole = await openai.chat.completions.create({ model: 'use-100-20-60', messages })
    assert.equal(whole.choices[0]?.message.content, 'hello')
    let streamed = ''
    for await (const chunk of await openai.chat.completions.create({ model: 'use-100-20-60', messages, stream: true })) {
      assert.ok(chunk.choices.length > 0, 'the usage that the agent did not ask for is not there')
      streamed += chunk.choices[0]?.delta.content ?? ''
    }
    assert.equal(streamed, 'hello')
    const usages = []
    const asking = { model: 'use-100-20-60', messages, stream: true as const, stream_options: { include_usage: true } }
    for await (const { usage } of await openai.chat.completions.create(asking)) if (usage) usages.push(usage.total_tokens)
    assert.deepEqual(usages, [120])
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: weather } }]
    const asked = await openai.chat.completions.create({ model: 'tool-get_weather', messages, tools })
    assert.deepEqual(asked.choices[0]?.message.tool_calls?.length, 1)
    assert.equal((await openai.responses.create({ model: 'tool-get_weather', input: 'hi' })).output.length, 2)
    const types = []
    for await (const event of await openai.responses.create({ model: 'tool-get_weather', input: 'hi', stream: true })) types.push(event.type)
    assert.equal(types.at(-1), 'response.completed')
    assert.deepEqual((await openai.embeddings.create({ model: 'use-9-0', input: 'hi', encoding_format: 'float' })).data[0]?.embedding, [0.25, -0.5])
    assert.deepEqual(
      (await openai.models.list()).data.map(({ id }) => id),
      ['use-10-5'],
    )

    for (const { headers } of gateway.provider.asked) assert.equal(headers.authorization, `Bearer ${providerKey}`)
    const used = (await gateway.outcomes()).map(({ result, status, usage, toolCalls, stopReason, model }) => [
      result,
      status,
      usage,
      toolCalls,
      stopReason,
      model,
    ])
    const plain = { inputTokens: 100, outputTokens: 20, cachedInputTokens: 60, cost: 0.000375 }
    const told = { inputTokens: 10, outputTokens: 5 }
    const priced = ['answered', 200, plain, undefined, 'stop', 'use-100-20-60-2026-03-01']
    const called = (stop: string): unknown[] => ['answered', 200, told, ['get_weather'], stop, 'tool-get_weather-2026-03-01']
    assert.deepEqual(used, [
      priced,
      priced,
      priced,
      called('tool_calls'),
      called('completed'),
      called('completed'),
      ['answered', 200, { inputTokens: 9, outputTokens: 0 }, undefined, undefined, 'use-9-0-2026-03-01'],
      ['answered', 200, undefined, undefined, undefined, undefined],
    ])
    assert.deepEqual(gateway.whole.faults, [])
  })

  test(`the official Anthropic client works unmodified ${way} [T2] [T15]`, async () => {
    await using gateway = await LlmGateway.start({ upstream: { prices } })
    const { anthropic } = await connect(gateway)
    const whole = await anthropic.messages.create({ model: 'use-100-20-60', max_tokens: 50, messages })
    assert.deepEqual(whole.content[0]?.type === 'text' && whole.content[0].text, 'hello')
    const stream = anthropic.messages.stream({ model: 'use-100-20-60', max_tokens: 50, messages })
    assert.equal(await stream.finalText(), 'hello')
    const tools = [{ name: 'get_weather', input_schema: weather }]
    const asked = anthropic.messages.stream({ model: 'tool-get_weather', max_tokens: 50, messages, tools })
    assert.equal((await asked.finalMessage()).stop_reason, 'tool_use')
    assert.equal((await anthropic.beta.messages.create({ model: 'use-1-1', max_tokens: 5, messages, betas: ['context-1m-2025-08-07'] })).type, 'message')
    assert.equal((await anthropic.messages.countTokens({ model: 'use-1-1', messages })).input_tokens, 7)
    assert.equal((await anthropic.models.list({ limit: 10 })).data.length, 1)

    for (const { headers } of gateway.provider.asked) {
      assert.equal(headers['x-api-key'], providerKey)
      assert.equal(headers.authorization, undefined)
    }
    assert.equal(gateway.provider.asked[3]?.headers['anthropic-beta'], 'context-1m-2025-08-07')
    const used = (await gateway.outcomes()).map(({ usage, toolCalls, stopReason }) => [usage, toolCalls, stopReason])
    const plain = { inputTokens: 100, outputTokens: 20, cachedInputTokens: 60, cost: 0.000375 }
    assert.deepEqual(used, [
      [plain, undefined, 'end_turn'],
      [plain, undefined, 'end_turn'],
      [{ inputTokens: 10, outputTokens: 5 }, ['get_weather'], 'tool_use'],
      [{ inputTokens: 1, outputTokens: 1 }, undefined, 'end_turn'],
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ])
    assert.deepEqual(gateway.whole.faults, [])
  })
}

test('the official clients show why a call was refused, and how long to wait [T6]', async () => {
  const quotas = [{ id: 'budget', match: { upstream: '*' }, per: ['tenant'], tokens: 500, window: '1h' }]
  await using gateway = await LlmGateway.start({
    rules: [{ id: 'small', match: {}, when: 'args.model != "dear"', then: 'permit' }],
    quotas,
    upstream: { maxOutputTokens: 300 },
  })
  const { openai, anthropic } = await throughBridge(gateway)
  const body = { max_tokens: 300, messages }
  await assert.rejects(openai.chat.completions.create({ model: 'dear', messages }), (error) => {
    assert.ok(error instanceof OpenAI.PermissionDeniedError)
    assert.deepEqual([error.code, error.type], ['policy.no-rule', 'permission_error'])
    assert.match(error.message, /No rule permits this call/)
    return true
  })
  await assert.rejects(
    anthropic.messages.create({ ...body, model: 'dear' }),
    (error) => error instanceof Anthropic.PermissionDeniedError && /policy\.no-rule/.test(error.message),
  )
  await anthropic.messages.create({ ...body, model: 'use-100-300' })
  await assert.rejects(
    anthropic.messages.create({ ...body, model: 'use-1-1' }),
    (error) => error instanceof Anthropic.RateLimitError && Number(error.headers.get('retry-after')) > 0,
  )
  await assert.rejects(
    openai.chat.completions.create({ model: 'use-1-1', messages }),
    (error) => error instanceof OpenAI.RateLimitError && error.code === 'policy.quota-exhausted',
  )
  await assert.rejects(openai.files.list(), (error) => error instanceof OpenAI.NotFoundError && /Agents can call/.test(error.message))
})
