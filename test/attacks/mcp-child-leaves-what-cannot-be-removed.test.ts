// A program that makes its own folder unremovable (a path that is too long, a folder without permissions) hopes that cleaning up after it fails badly.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'

test('a program whose folder cannot be removed ends by itself alone, and the operator is told', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ idle: '50ms' }), other: crookedServer() } })
  const say = (path: string): Promise<string> => call(bench, path, 'say', { word: 'still here' })
  assert.equal(await say('/mcp/other'), 'still here')
  const folder = await call(bench, '/mcp/crooked', 'bury')
  const fault = String(await bench.firstFault)
  assert.match(fault, /cannot be removed/)
  assert.ok(fault.includes(folder))
  assert.equal(await say('/mcp/other'), 'still here')
  assert.equal(await say('/mcp/crooked'), 'still here')
  spawnSync('rm', ['-rf', folder])
})

async function call(bench: McpBench, path: string, name: string, args: object = {}): Promise<string> {
  const { text } = await bench.post(path, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })
  return JSON.parse(text).result.content[0].text
}
