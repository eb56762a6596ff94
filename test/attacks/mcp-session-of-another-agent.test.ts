import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

test('a session id only works for the agent and the upstream it was given to, and never shows the upstream’s own', async () => {
  await using upstream = await scriptedUpstream(afterHandshake(({ id }, response) => json(response, { jsonrpc: '2.0', id, result: { tools: [] } })))
  await using bench = await McpBench.open({ upstreams: { one: { url: upstream.url }, two: { url: upstream.url } } })
  await using client = await bench.connect('/mcp/one', { agent: 'agent-a' })
  const session = client.transportUsed.sessionId ?? ''
  assert.ok(session.length > 0)
  assert.ok(!session.includes('the-upstreams-own-session') && !Buffer.from(session, 'base64url').includes('the-upstreams-own-session'))
  const list = { jsonrpc: '2.0', id: 5, method: 'tools/list' }
  const listed = (): number => upstream.seen.filter(({ body, method }) => body.includes('tools/list') || method === 'DELETE').length

  const changed = `${session.startsWith('A') ? 'B' : 'A'}${session.slice(1)}`
  const tries: readonly (readonly [path: string, headers: Record<string, string>])[] = [
    ['/mcp/one', { 'x-test-agent': 'agent-b', 'mcp-session-id': session }],
    ['/mcp/two', { 'mcp-session-id': session }],
    ['/mcp', { 'mcp-session-id': session }],
    ['/mcp/one', { 'mcp-session-id': changed }],
    ['/mcp/one', { 'mcp-session-id': 'the-upstreams-own-session' }],
    ['/mcp/one', { 'mcp-session-id': `${session}=` }],
  ]
  for (const [path, headers] of tries) {
    const refusal = await bench.post(path, list, headers)
    assert.equal(refusal.status, 404, path)
    assert.match(refusal.text, /access\.session-invalid/)
  }
  const stream = await fetch(bench.url('/mcp/one'), { headers: { 'x-test-agent': 'agent-b', 'mcp-session-id': session } })
  assert.equal(stream.status, 404)
  const end = await fetch(bench.url('/mcp/one'), { method: 'DELETE', headers: { 'x-test-agent': 'agent-b', 'mcp-session-id': session } })
  assert.equal(end.status, 404)
  assert.equal(listed(), 0, 'nothing of it reached the upstream')

  assert.equal((await bench.post('/mcp/one', list, { 'mcp-session-id': session })).status, 200)
  assert.equal(listed(), 1)
  assert.equal(upstream.seen.find(({ body }) => body.includes('tools/list'))?.headers['mcp-session-id'], 'the-upstreams-own-session')
})
