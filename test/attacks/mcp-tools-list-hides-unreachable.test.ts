import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench, packagedServer } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream, sdkUpstream, sse } from '../fixtures/mcp-upstreams.ts'

const tools = ['get_invoice', 'create_refund', 'delete_everything'].map((name) => ({ name, inputSchema: { type: 'object' } }))
const rules = [
  { id: 'read', match: { upstream: 'crm', action: 'get_*' }, then: 'permit' },
  { id: 'refund', match: { action: 'create_refund' }, then: 'hold' },
] as const

for (const form of ['json', 'sse'] as const) {
  test(`a list in ${form} shows what rules could permit or hold, and nothing else`, async () => {
    await using upstream = await scriptedUpstream(
      afterHandshake(({ id, method }, response) => {
        const result =
          method === 'tools/list' ? { tools } : method === 'resources/list' ? { resources: [{ uri: 'a://b', name: 'b' }] } : { prompts: [{ name: 'p' }] }
        if (form === 'json') return json(response, { jsonrpc: '2.0', id, result })
        sse(response, { jsonrpc: '2.0', id, result })
        return undefined
      }),
    )
    await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } }, rules })
    for (const [path, prefix] of [
      ['/mcp/crm', ''],
      ['/mcp', 'crm__'],
    ] as const) {
      const list = async (method: string): Promise<string> => (await bench.post(path, { jsonrpc: '2.0', id: 1, method })).text
      const shown = await list('tools/list')
      assert.ok(shown.includes(`"${prefix}get_invoice"`) && shown.includes(`"${prefix}create_refund"`), shown)
      assert.ok(!shown.includes('delete_everything'))
      assert.ok(!(await list('resources/list')).includes('a://b'))
      assert.ok(!(await list('prompts/list')).includes('"p"'))
    }
  })
}

test('a list cannot be had unfiltered by resuming its stream', async () => {
  await using upstream = await scriptedUpstream((request, response) => {
    if (request.method === 'GET') {
      sse(response, { jsonrpc: '2.0', id: 9, result: { tools } })
      response.end()
      return
    }
    afterHandshake(({ id }, answering) => json(answering, { jsonrpc: '2.0', id, result: {} }))(request, response)
  })
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } }, rules })
  const handshake = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const { headers } = await bench.post('/mcp/crm', { jsonrpc: '2.0', id: 1, method: 'initialize', params: handshake })
  const session = headers.get('mcp-session-id') ?? ''
  const resumed = await fetch(bench.url('/mcp/crm'), {
    headers: { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': 'e1', 'x-test-agent': 'agent-a' },
  })
  const text = await resumed.text()
  assert.equal(upstream.seen.at(-1)?.headers['last-event-id'], 'e1')
  assert.ok(text.includes('get_invoice') && !text.includes('delete_everything'), text)
})

test('real servers of both transports and revisions are filtered alike', async () => {
  await using recent = await sdkUpstream('reject')
  const permits = [{ id: 'echo', match: { action: 'echo' }, then: 'permit' }] as const
  await using bench = await McpBench.open({ upstreams: { every: packagedServer('server-everything'), sdk: { url: recent.url } }, rules: permits })
  for (const mode of ['legacy', 'auto'] as const) {
    await using together = await bench.connect('/mcp', { versionNegotiation: { mode } })
    assert.deepEqual((await together.listTools()).tools.map(({ name }) => name).sort(), ['every__echo', 'sdk__echo'])
    assert.deepEqual((await together.listResources()).resources, [])
  }
  await using direct = await bench.connect('/mcp/sdk', { versionNegotiation: { mode: 'auto' } })
  assert.deepEqual(
    (await direct.listTools()).tools.map(({ name }) => name),
    ['echo'],
  )
})
