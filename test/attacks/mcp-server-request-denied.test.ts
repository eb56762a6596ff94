import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream, sdkUpstream, sse, type ScriptedMessage } from '../fixtures/mcp-upstreams.ts'

const question = { jsonrpc: '2.0', id: 'question', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
const canSample = { capabilities: { sampling: {}, elicitation: {} } }
const answer = { role: 'assistant', content: { type: 'text', text: 'the secret plans' }, model: 'm' } as const

test('an HTTP server that asks the agent something is told no, and the agent never sees it', async () => {
  const { promise: told, resolve } = Promise.withResolvers<ScriptedMessage>()
  await using upstream = await scriptedUpstream((request, response) => {
    const message: ScriptedMessage = request.body === '' ? { id: 0 } : JSON.parse(request.body)
    if (request.method === 'POST' && message.method === undefined) resolve(message)
    afterHandshake(({ id }, answering) => {
      sse(answering, question)
      void told.then(() => answering.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })}\n\n`))
    })(request, response)
  })
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  await using client = await bench.connect('/mcp/crm', canSample)
  let isAsked = false
  client.setRequestHandler('sampling/createMessage', async () => {
    isAsked = true
    return answer
  })
  await client.callTool({ name: 'anything' })
  assert.deepEqual((await told).error?.code, -32601)
  assert.equal(isAsked, false)
  const handshake = upstream.seen.map(({ body }) => body).find((body) => body.includes('"initialize"'))
  assert.deepEqual(JSON.parse(handshake ?? '').params.capabilities, {}, 'the server is not even told that the agent could')
})

test('a child that asks the agent something is told no, unless the operator allows it', async () => {
  for (const serverRequests of [[], ['sampling/createMessage'] as const]) {
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ serverRequests: [...serverRequests] }) } })
    await using client = await bench.connect('/mcp/crooked', canSample)
    let asked = 0
    client.setRequestHandler('sampling/createMessage', async () => {
      asked += 1
      return answer
    })
    const result = JSON.stringify((await client.callTool({ name: 'ask' })).content)
    assert.equal(asked, serverRequests.length)
    assert.match(result, serverRequests.length === 0 ? /not allowed/ : /the secret plans/)
  }
})

test('an agent cannot answer a request that was not let through to it', async () => {
  await using upstream = await scriptedUpstream(afterHandshake((_, response) => response.end()))
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, serverRequests: ['sampling/createMessage'] } } })
  await using client = await bench.connect('/mcp/crm')
  const before = upstream.seen.length
  const headers = { 'mcp-session-id': client.transportUsed.sessionId ?? '' }
  for (const id of ['question', 1, 'x'.repeat(60)]) {
    assert.match((await bench.post('/mcp/crm', { jsonrpc: '2.0', id, result: {} }, headers)).text, /access\.malformed/)
  }
  assert.equal(upstream.seen.filter(({ body }) => body.includes('"result"')).length, 0)
  assert.ok(upstream.seen.length <= before + 1, 'at most the stream that the client opens by itself')
})

test('a 2026-07-28 result that asks for input becomes a tool error', async () => {
  const inputRequests = { sure: { method: 'elicitation/create', params: { message: 'Your password?', requestedSchema: { type: 'object', properties: {} } } } }
  await using upstream = await scriptedUpstream(({ body }, response) => {
    const { id, method } = JSON.parse(body)
    const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private', resultType: 'complete' }
    json(response, { jsonrpc: '2.0', id, result: method === 'server/discover' ? discovered : { resultType: 'input_required', inputRequests } })
  })
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, serverRequests: ['roots/list'] } } })
  await using client = await bench.connect('/mcp/crm', { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } })
  let isAsked = false
  client.setRequestHandler('elicitation/create', async () => {
    isAsked = true
    return { action: 'accept', content: {} }
  })
  const result = await client.callTool({ name: 'login' })
  assert.equal(result.isError, true)
  assert.ok(!JSON.stringify(result).includes('password'))
  assert.equal(isAsked, false)
})

test('a real 2026-07-28 server does not learn of a capability that it may not use', async () => {
  await using upstream = await sdkUpstream('reject')
  await using bench = await McpBench.open({ upstreams: { sdk: { url: upstream.url } } })
  await using client = await bench.connect('/mcp/sdk', { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } })
  await assert.rejects(client.callTool({ name: 'confirm' }), /capabilit/i)
})
