import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

const call = (name: unknown, more: object = {}): object => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...more } })

test('no tool passes under the name of a method, and no method under the name of a tool', async () => {
  await using upstream = await scriptedUpstream(afterHandshake(({ id }, response) => json(response, { jsonrpc: '2.0', id, result: { content: [] } })))
  await using bench = await McpBench.open({
    upstreams: { crm: { url: upstream.url }, other: { url: upstream.url } },
    rules: [{ id: 'reads', match: { upstream: 'crm', action: ['resources/read', 'ping', 'get_invoice', 'initialize'] }, then: 'permit' }],
  })
  const refused = [
    call('resources/read'), // a tool that would fit the rule for reading resources
    call('ping'),
    call('initialize'),
    call('get_invoice\u0000'),
    call('get_invoice '),
    call('gеt_invoice'), // a Cyrillic letter
    call('get_invoice\u200b'),
    call(''),
    call(['get_invoice']),
    call('x'.repeat(129)),
    call('get_invoice', { task: { ttl: 1 } }), // what is not judged does not travel along
    call('get_invoice', { arguments: [] }),
    { jsonrpc: '2.0', id: 1, method: 'get_invoice', params: {} }, // a method that would fit the rule for the tool
    { jsonrpc: '2.0', id: 1, method: 'Tools/call', params: { name: 'get_invoice' } },
    { jsonrpc: '2.0', id: 1, method: 'tools/cаll', params: { name: 'get_invoice' } },
    call('delete_invoice'),
    { jsonrpc: '2.0', id: 1, method: '__proto__', params: {} },
    { jsonrpc: '2.0', id: 1, method: 'constructor', params: {} },
    { jsonrpc: '2.0', method: 'tools/call', params: { name: 'get_invoice' } }, // a call without an answer
  ]
  for (const message of refused) {
    const { status, text } = await bench.post('/mcp/crm', message)
    assert.match(text, /access\.malformed|policy\.no-rule/, `${status} ${JSON.stringify(message)}`)
  }
  for (const name of [
    'get_invoice',
    'crm_get_invoice',
    'crm__',
    '__get_invoice',
    'crm__resources/read',
    'other__get_invoice',
    'CRM__get_invoice',
    'crm__crm__get_invoice',
  ]) {
    assert.match((await bench.post('/mcp', call(name))).text, /access\.|policy\.no-rule/, name)
  }
  assert.equal(upstream.seen.length, 0)
  assert.match((await bench.post('/mcp/crm', call('get_invoice'))).text, /"content"/)
  assert.match((await bench.post('/mcp', call('crm__get_invoice'))).text, /"content"/)
  const sent = upstream.seen.map(({ body }) => JSON.parse(body)).filter(({ method }) => method === 'tools/call')
  assert.deepEqual(
    sent.map(({ params }) => params.name),
    ['get_invoice', 'get_invoice'],
  )
})

test('headers of 2026-07-28 that say something else than the body are refused', async () => {
  await using upstream = await scriptedUpstream(({ body }, response) =>
    json(response, { jsonrpc: '2.0', id: JSON.parse(body).id, result: { resultType: 'complete', content: [] } }),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const body = call('get_invoice', { arguments: { id: 7 }, _meta: meta })
  const right = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'get_invoice' }
  const wrong: readonly Record<string, string>[] = [
    { ...right, 'mcp-name': 'delete_invoice' },
    { ...right, 'mcp-name': '=?base64?ZGVsZXRlX2ludm9pY2U=?=' },
    { ...right, 'mcp-name': '=?base64?%%?=' },
    { ...right, 'mcp-method': 'tools/list' },
    { ...right, 'mcp-protocol-version': '2025-11-25' },
    { ...right, 'mcp-param-id': '8' },
    { 'mcp-method': 'tools/call', 'mcp-name': 'get_invoice' },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-name': 'get_invoice' },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
  ]
  for (const headers of wrong) assert.match((await bench.post('/mcp/crm', body, headers)).text, /access\.malformed/, JSON.stringify(headers))
  assert.equal(upstream.seen.length, 0)
  assert.equal((await bench.post('/mcp/crm', body, { ...right, 'mcp-param-id': '7' })).status, 200)
  assert.equal(upstream.seen[0]?.headers['mcp-param-id'], '7')
})

test('a refusal of a readable request is an answer in its protocol, with the code and status that each revision has for it', async () => {
  await using bench = await McpBench.open({ upstreams: { crm: { url: 'http://127.0.0.1:9/mcp' } } })
  const capabilities = { 'io.modelcontextprotocol/clientCapabilities': {} }
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', ...capabilities }
  const list = (_meta: object): object => ({ jsonrpc: '2.0', id: 'one', method: 'tools/list', params: { _meta } })
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  const unknown = { ...capabilities, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
  const cases: readonly (readonly [path: string, status: number, code: number, body: object, headers?: Record<string, string>])[] = [
    ['/mcp/crm', 400, -32602, call('get_invoice', { arguments: [] })],
    ['/mcp/crm', 400, -32602, { jsonrpc: '2.0', id: 'one', method: 'tools/list' }, modern],
    ['/mcp/crm', 400, -32602, list({ 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }), modern],
    ['/mcp/crm', 400, -32020, list(meta), { ...modern, 'mcp-method': 'tools/call' }],
    ['/mcp/crm', 400, -32020, list(unknown), modern],
    ['/mcp/crm', 400, -32022, list(unknown), { ...modern, 'mcp-protocol-version': '2099-01-01' }],
    ['/mcp/crm', 404, -32601, { jsonrpc: '2.0', id: 'one', method: 'ping', params: { _meta: meta } }, { ...modern, 'mcp-method': 'ping' }],
    ['/mcp/crm', 400, -32601, { jsonrpc: '2.0', id: 'one', method: 'server/discover' }], // 404 would end the session of an older client
    ['/mcp', 200, -32602, call('nowhere__get_invoice')],
  ]
  for (const [path, status, code, body, headers] of cases) {
    const answer = await bench.post(path, body, headers)
    const { id, error } = JSON.parse(answer.text)
    assert.deepEqual([answer.status, error.code], [status, code], answer.text)
    assert.ok(id === 'one' || id === 1)
    assert.match(error.data.instance, /^urn:uuid:/)
  }
})
