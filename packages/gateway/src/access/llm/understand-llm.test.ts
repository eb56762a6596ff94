import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreamName, type LlmUpstreamConfiguration } from '@sallyport/contract'
import { principalOf } from '../../../../../test/fixtures/access-request.ts'
import { inboundOf, type CallParts } from '../../../../../test/fixtures/http-forwarding.ts'
import type { HeaderLines } from '../../edge/inbound.ts'
import type { AccessRequest, LlmCall } from '../access-request.ts'
import { compileLlmUpstream, llmCredential } from './llm-upstream.ts'
import { understandLlm } from './understand-llm.ts'

const principal = await principalOf('acme', 'bot')
const name = parseUpstreamName('openai') ?? assert.fail()
const json: HeaderLines = [['content-type', 'application/json']]
const messages = [{ role: 'user', content: 'hi' }]

async function understand(parts: CallParts, configuration: Partial<LlmUpstreamConfiguration> = {}) {
  const compiled = compileLlmUpstream(name, { protocol: 'llm', api: 'openai', url: 'https://api.openai.com', ...configuration })
  assert.ok(compiled.kind === 'compiled')
  const inbound = inboundOf({ method: 'POST', ...parts, headers: parts.headers ?? json })
  return understandLlm(compiled.upstream, principal, inbound, inbound, { judgedBodyBytesMax: 1024 })
}

async function asked(path: string, body: object, configuration?: Partial<LlmUpstreamConfiguration>) {
  const request: AccessRequest | object = await understand({ path, body: JSON.stringify(body) }, configuration)
  assert.ok('call' in request && request.call.kind === 'llm', JSON.stringify(request))
  return { request, call: request.call, sent: sentBody(request.call) }
}

function sentBody({ body }: LlmCall): unknown {
  return JSON.parse(Buffer.from(body ?? []).toString())
}

test('a chat completion is named, and what rules ask for is at hand', async () => {
  const tools = [{ type: 'function', function: { name: 'shell' } }, { type: 'web_search' }]
  const { request, call, sent } = await asked('/v1/chat/completions', {
    model: 'gpt-5',
    messages,
    tools,
    max_tokens: 5,
    max_completion_tokens: 9,
    n: 2,
    temperature: 0.5,
  })
  assert.deepEqual([request.action, request.resource, request.standing, request.context.protocol], ['chat.completions', 'gpt-5', 'call', 'llm'])
  assert.deepEqual(request.args, { model: 'gpt-5', stream: false, tools: ['shell', 'web_search'], messageCount: 1, maxTokens: 9, betas: [], body: sent })
  assert.deepEqual(call.ceiling, { inputTokens: call.body?.length, outputTokens: 18, price: undefined })
  assert.equal(call.target, '/v1/chat/completions')
})

test('a limit that the call does not name is written into it, and is what rules see', async () => {
  const maxOutputTokens = 50
  const completion = await asked('/v1/chat/completions', { model: 'm', messages, max_tokens: null }, { maxOutputTokens })
  assert.deepEqual(completion.sent, { model: 'm', messages, max_tokens: null, max_completion_tokens: 50 })
  const response = await asked('/v1/responses', { model: 'm', input: 'hi' }, { maxOutputTokens })
  assert.deepEqual(response.sent, { model: 'm', input: 'hi', max_output_tokens: 50 })
  const message = await asked('/v1/messages', { model: 'm', messages }, { api: 'anthropic', maxOutputTokens })
  assert.deepEqual(message.sent, { model: 'm', messages, max_tokens: 50 })
  for (const { request, call, sent } of [completion, response, message]) {
    assert.ok(typeof request.args === 'object' && request.args !== null && 'maxTokens' in request.args && 'body' in request.args)
    assert.deepEqual([request.args['maxTokens'], request.args['body']], [50, sent])
    assert.equal(call.ceiling?.outputTokens, 50)
  }
  assert.deepEqual((await asked('/v1/embeddings', { model: 'm', input: ['a', 'b'] }, { maxOutputTokens })).sent, { model: 'm', input: ['a', 'b'] })
  assert.equal((await asked('/v1/chat/completions', { model: 'm', messages })).call.ceiling?.outputTokens, undefined)
  assert.deepEqual((await asked('/v1/chat/completions', { model: 'm', messages, max_tokens: 7 }, { maxOutputTokens })).sent, {
    model: 'm',
    messages,
    max_tokens: 7,
  })
})

test('a streamed chat completion is made to tell its usage', async () => {
  const stream = async (more: object): Promise<unknown[]> => {
    const { call, sent } = await asked('/v1/chat/completions', { model: 'm', messages, stream: true, ...more })
    return [call.hidesUsage, typeof sent === 'object' && sent !== null && 'stream_options' in sent && sent.stream_options]
  }
  assert.deepEqual(await stream({}), [true, { include_usage: true }])
  assert.deepEqual(await stream({ stream_options: null }), [true, { include_usage: true }])
  assert.deepEqual(await stream({ stream_options: { include_usage: false, other: 1 } }), [true, { include_usage: true, other: 1 }])
  assert.deepEqual(await stream({ stream_options: { include_usage: true } }), [false, { include_usage: true }])
  assert.equal((await asked('/v1/messages', { model: 'm', messages, stream: true }, { api: 'anthropic' })).call.hidesUsage, false)
})

test('what is about no single model has no ceiling', async () => {
  const { request, call } = await asked('/v1/messages/count_tokens', { model: 'm', messages }, { api: 'anthropic' })
  assert.deepEqual([request.action, call.ceiling], ['messages.count_tokens', undefined])
  const list = await understand({ method: 'GET', path: '/v1/models', query: 'limit=5', headers: [] }, { api: 'anthropic' })
  assert.ok('call' in list && list.call.kind === 'llm')
  assert.deepEqual(
    [list.action, list.resource, list.args, list.call.target],
    ['models.list', 'models', { query: { limit: '5' }, betas: [] }, '/v1/models?limit=5'],
  )
})

test('a price is found by the name of the model', async () => {
  const prices = { m: { input: 1, output: 2 } }
  assert.deepEqual((await asked('/v1/embeddings', { model: 'm', input: 'x' }, { prices })).call.ceiling?.price, { input: 1, output: 2, cachedInput: 1 })
  assert.equal((await asked('/v1/embeddings', { model: 'constructor', input: 'x' }, { prices })).call.ceiling?.price, undefined)
})

const chat = '/v1/chat/completions'
const refusals: readonly (readonly [string, CallParts, string])[] = [
  ['another media type', { path: chat, headers: [['content-type', 'text/plain']], body: '{}' }, 'access.unsupported-media'],
  ['no media type', { path: chat, headers: [], body: '{}' }, 'access.unsupported-media'],
  ['two media types', { path: chat, headers: [...json, ...json], body: '{}' }, 'access.unsupported-media'],
  ['a coding', { path: chat, headers: [...json, ['content-encoding', 'gzip']], body: '{}' }, 'access.unsupported-media'],
  ['a large body', { path: chat, body: `{"model":"${'m'.repeat(1100)}"}` }, 'access.too-large'],
  ['no body', { path: chat }, 'access.malformed'],
  ['no messages', { path: chat, body: '{"model":"m"}' }, 'access.malformed'],
  ['messages that are no list', { path: chat, body: '{"model":"m","messages":{}}' }, 'access.malformed'],
  ['input of no known form', { path: '/v1/responses', body: '{"model":"m","input":{}}' }, 'access.malformed'],
  ['stream as a text', { path: chat, body: '{"model":"m","messages":[],"stream":"true"}' }, 'access.malformed'],
  ['stream options as a list', { path: chat, body: '{"model":"m","messages":[],"stream":true,"stream_options":[]}' }, 'access.malformed'],
  ['usage asked with a text', { path: chat, body: '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":"no"}}' }, 'access.malformed'],
  ['usage asked in capitals', { path: chat, body: '{"model":"m","messages":[],"stream":true,"stream_options":{"Include_Usage":false}}' }, 'access.malformed'],
  ['a beta that is no name', { path: chat, headers: [...json, ['openai-beta', 'a b']], body: '{"model":"m","messages":[]}' }, 'access.malformed'],
  ['a body of a GET', { method: 'GET', path: '/v1/models', body: '{}' }, 'access.malformed'],
]
for (const [title, parts, code] of refusals) {
  test(`refused: ${title}`, async () => {
    const refused = await understand(parts)
    assert.ok('problem' in refused)
    assert.equal(refused.problem.code, code)
  })
}

test('the credential stands where the API wants it, unless the configuration says otherwise', () => {
  const credential = (api: 'openai' | 'anthropic', more: object = {}) => llmCredential({ api, credential: { secret: 's', ...more } })
  assert.deepEqual(credential('openai'), { secret: 's' })
  assert.deepEqual(credential('anthropic'), { secret: 's', header: 'x-api-key', format: '{secret}' })
  assert.deepEqual(credential('anthropic', { header: 'authorization' }), { secret: 's', header: 'authorization' })
  assert.equal(llmCredential({ api: 'anthropic' }), undefined)
})
