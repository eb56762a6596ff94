import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream, sse, type ScriptedMessage } from '../fixtures/mcp-upstreams.ts'

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_invoice' } }
const right = { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'fine' }] } }

const garbage: Readonly<Record<string, (response: ServerResponse, message: ScriptedMessage) => void>> = {
  'no JSON': (response) => json(response, 'oops'),
  'a duplicate member': (response) => json(response, '{"jsonrpc":"2.0","id":1,"result":{},"result":{"content":[]}}'),
  'a lossy number': (response) => json(response, '{"jsonrpc":"2.0","id":1,"result":{"content":[],"n":12345678901234567890}}'),
  'a batch': (response) => json(response, [right]),
  'another id': (response) => json(response, { ...right, id: 2 }),
  'an unknown member': (response) => json(response, { ...right, method: 'x' }),
  HTML: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  'an empty 202': (response) => response.writeHead(202).end(),
  'a redirect': (response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
  'a login page': (response) => response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(right)),
  'a failure': (response) => response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(right)),
  'a torn stream': (response) => {
    sse(response, { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } })
    response.destroy()
  },
  'a stream without the response': (response) => {
    sse(response, { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } })
    response.end()
  },
  'garbage in a stream': (response) => sse(response, 'data: {"jsonrpc":"2.0","id":1,\n\n', right),
  'a duplicate member in a stream': (response) => sse(response, 'data: {"jsonrpc":"2.0","id":1,"result":{},"result":{}}\n\n', right),
  'another id in a stream': (response) => sse(response, { ...right, id: 'x' }, right),
  'an endless event': (response) => {
    sse(response)
    const more = (): void => {
      while (!response.destroyed && response.write(`data: ${'x'.repeat(65_536)}\n`));
    }
    response.on('drain', more)
    more()
  },
  'an endless line': (response) => {
    sse(response, 'data: ')
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  },
}

for (const [name, answer] of Object.entries(garbage)) {
  test(`an upstream that answers ${name} fails the call and says nothing to the agent`, async () => {
    await using upstream = await scriptedUpstream(afterHandshake((message, response) => answer(response, message)))
    await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, answerBytesMax: '1MiB' } } })
    const { text } = await bench.post('/mcp/crm', call)
    assert.match(text, /forward\.(upstream-failed|answer-too-large)/)
    assert.ok(!text.includes('fine'))
    const { facts, problem } = await bench.toldOf(({ request }) => request?.action === 'get_invoice')
    assert.match(facts?.code ?? problem?.code ?? '', /forward\.(upstream-failed|answer-too-large)/)
  })
}

test('a session id of the upstream that could not stand in a header is refused', async () => {
  await using upstream = await scriptedUpstream((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'x'.repeat(2000) })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(request.body).id, result: {} }))
  })
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  assert.match((await bench.post('/mcp/crm', { jsonrpc: '2.0', id: 1, method: 'ping' })).text, /forward\.upstream-failed/)
})

for (const name of ['garbage', 'twice-named', 'other-id', 'flood']) {
  const code = name === 'flood' ? 'forward.answer-too-large' : 'forward.upstream-failed'
  test(`a child that writes ${name} fails the call and is replaced`, async () => {
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ answerBytesMax: '64KiB' }) } })
    await using client = await bench.connect('/mcp/crooked')
    await assert.rejects(client.callTool({ name }), /did not answer properly|larger than its limit/)
    assert.equal((await bench.toldOf(({ request }) => request?.action === name)).problem?.code, code)
    assert.match(JSON.stringify((await client.callTool({ name: 'say', arguments: { word: 'again' } })).content), /again/)
    assert.equal(bench.children[0]?.starts, 2)
  })
}
