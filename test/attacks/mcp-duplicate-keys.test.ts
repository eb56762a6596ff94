import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

test('a message that two parsers could read differently never leaves', async () => {
  await using upstream = await scriptedUpstream(afterHandshake(({ id }, response) => json(response, { jsonrpc: '2.0', id, result: { content: [] } })))
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  const head = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
  const bodies = [
    `${head}{"name":"get_invoice","name":"delete_invoice"}}`,
    `${head}{"name":"get_invoice","arguments":{"id":1,"id":2}}}`,
    `${head}{"name":"get_invoice","n\\u0061me":"delete_invoice"}}`,
    `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`,
    `${head}{"name":"get_invoice","arguments":{"id":9007199254740993}}}`,
    `${head}{"name":"get_invoice"}} {}`,
    `${head}{"name":"get_invoice"},"extra":1}`,
    `${head}{"name":"get_invoice"},"result":{}}`,
    `${head}{"name":"get_invoice","arguments":${'['.repeat(100)}${']'.repeat(100)}}}`,
    `\ufeff${head}{"name":"get_invoice"}}`,
    '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"get_invoice"}}',
    '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"get_invoice"}}',
    '{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"get_invoice"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["get_invoice"]}',
  ]
  for (const body of bodies) {
    const { status, text } = await bench.post('/mcp/crm', body)
    assert.equal(status, 400, body)
    assert.match(text, /access\.malformed/)
  }
  for (const type of ['text/plain', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded']) {
    assert.equal((await bench.post('/mcp/crm', `${head}{"name":"get_invoice"}}`, { 'content-type': type })).status, 415)
  }
  assert.equal(upstream.seen.length, 0)
})
