import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'

test('[T15] a child gets the configured environment and nothing of the gateway’s, and its secret stays out of what the agent can set and see', async () => {
  process.env['GATEWAY_SECRET'] = 'of the gateway'
  try {
    await using bench = await McpBench.open({
      upstreams: { crooked: crookedServer({ env: { MODE: 'test' }, secrets: { API_TOKEN: 'crm-token' } }), bare: crookedServer() },
      secrets: { 'crm-token': 's3cret-value' },
    })
    await using client = await bench.connect('/mcp/crooked')
    const call = { name: 'environment', arguments: { API_TOKEN: 'mine', PATH: '/evil' }, _meta: { env: { PATH: '/evil' } } }
    assert.deepEqual(JSON.parse(textOf(await client.callTool(call))), { MODE: 'test', API_TOKEN: '*'.repeat('s3cret-value'.length) })
    await using bare = await bench.connect('/mcp/bare')
    assert.deepEqual(JSON.parse(textOf(await bare.callTool({ name: 'environment' }))), {})
    const folders = [textOf(await client.callTool({ name: 'folder' })), textOf(await bare.callTool({ name: 'folder' }))]
    assert.notEqual(folders[0], folders[1])
    assert.ok(folders.every((folder) => folder !== process.cwd()))
  } finally {
    delete process.env['GATEWAY_SECRET']
  }
})

test('a child whose secret is not set is not started', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ secrets: { API_TOKEN: 'crm-token' } }) } })
  await assert.rejects(bench.connect('/mcp/crooked'), (error: Error) => /not set/.test(error.message) && !/crm-token/.test(error.message))
  assert.equal(bench.children.length, 0)
})

function textOf({ content }: { readonly content?: unknown }): string {
  return Array.isArray(content) ? String(content[0]?.text) : ''
}
