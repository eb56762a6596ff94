// Every client opens a stream that it leaves open; the connections to the upstream are soon all taken by streams on which nobody speaks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

test('streams that wait for what the upstream may say take none of the connections that calls need', async () => {
  await using upstream = await scriptedUpstream((request, response) => {
    if (request.method === 'GET') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    return afterHandshake(({ id }, answering) => json(answering, { jsonrpc: '2.0', id, result: { content: [] } }))(request, response)
  })
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, connections: 1 } } })
  await using client = await bench.connect('/mcp/crm')
  const session = client.transportUsed.sessionId ?? ''
  const leaving = new AbortController()
  const open = async (): Promise<number> => {
    const headers = { accept: 'text/event-stream', 'mcp-session-id': session, 'x-test-agent': 'agent-a' }
    return (await fetch(bench.url('/mcp/crm'), { headers, signal: leaving.signal })).status
  }
  assert.deepEqual(await Promise.all([open(), open(), open()]), [200, 200, 200])
  assert.deepEqual((await client.callTool({ name: 'get_invoice' }, { timeout: 5_000 })).content, [])
  leaving.abort()
})
