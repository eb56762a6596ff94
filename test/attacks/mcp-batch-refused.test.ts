import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

test('a batch cannot carry a second call behind the one that is judged', async () => {
  await using upstream = await scriptedUpstream(afterHandshake(({ id }, response) => json(response, { jsonrpc: '2.0', id, result: { content: [] } })))
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_invoice' } }
  for (const batch of [[], [call], [call, { ...call, id: 2, params: { name: 'delete_invoice' } }], [{ jsonrpc: '2.0', id: 3, method: 'ping' }, call]]) {
    for (const path of ['/mcp/crm', '/mcp']) assert.match((await bench.post(path, batch)).text, /access\.malformed/)
  }
  assert.equal(upstream.seen.length, 0)
})
