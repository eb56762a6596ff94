// A child may have so many requests to the agent open at once. Requests that no agent ever answers must not keep their places when their call is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'

test('requests of a child that nobody answered are forgotten with the call that carried them', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ serverRequests: ['sampling/createMessage'] }) } })
  await using client = await bench.connect('/mcp/crooked', { capabilities: { sampling: {} } })
  const { promise: unanswered } = Promise.withResolvers<never>()
  client.setRequestHandler('sampling/createMessage', () => unanswered)
  await client.callTool({ name: 'pester', arguments: { times: 64 } })
  client.setRequestHandler('sampling/createMessage', () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: 'asked again' } }))
  const answered = await client.callTool({ name: 'ask' })
  assert.match(JSON.stringify(answered.content), /asked again/)
})
