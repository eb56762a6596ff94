// One list at the aggregated endpoint asks every upstream, page by page: uncounted, it would multiply an agent's requests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'

test('a list at /mcp is charged to the quotas that count everything [T5] [T6]', async () => {
  await using bench = await McpBench.open({
    upstreams: { crooked: crookedServer() },
    quotas: [{ id: 'all', per: ['tenant', 'agent'], requests: 3, window: '1h' }],
  })
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const codes: (string | undefined)[] = []
  for (let index = 0; index < 5; index += 1) {
    await bench.post('/mcp', list, { 'mcp-protocol-version': '2025-11-25' })
    codes.push(bench.told.at(-1)?.problem?.code)
  }
  assert.deepEqual(codes, [undefined, undefined, undefined, 'policy.quota-exhausted', 'policy.quota-exhausted'])
})
