import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, everythingOverHttp, json, scriptedUpstream, sse } from '../fixtures/mcp-upstreams.ts'

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_invoice' } }
const content = [{ type: 'text', text: 'fine' }]

test('a stream of many small messages passes, however long it becomes', async () => {
  const note = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(400) } }
  await using upstream = await scriptedUpstream(
    afterHandshake(({ id }, response) => {
      sse(response, ...Array.from({ length: 50 }, () => note), { jsonrpc: '2.0', id, result: { content } })
      response.end()
    }),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, answerBytesMax: '1KiB' } } })
  const { text } = await bench.post('/mcp/crm', call)
  assert.equal(text.match(/notifications\/message/g)?.length, 50)
  assert.ok(text.includes('fine'))
  assert.equal((await bench.toldOf(({ facts }) => facts !== undefined)).facts?.result, 'answered')
})

test('one message in a stream that is larger than the limit is answered and told as too large', async () => {
  await using upstream = await scriptedUpstream(
    afterHandshake(({ id }, response) => sse(response, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'x'.repeat(2000) }] } })),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url, answerBytesMax: '1KiB' } } })
  assert.match((await bench.post('/mcp/crm', call)).text, /forward\.answer-too-large/)
  assert.equal((await bench.toldOf(({ facts }) => facts !== undefined)).facts?.code, 'forward.answer-too-large')
})

test('an error inside a stream names the request, so that its entry can be found', async () => {
  await using upstream = await scriptedUpstream(
    afterHandshake((_, response) => {
      sse(response, { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } })
      response.end()
    }),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  const { text } = await bench.post('/mcp/crm', call)
  const { request } = await bench.toldOf(({ facts }) => facts !== undefined)
  const failure = JSON.parse(text.split('data: ').at(-1) ?? '')
  assert.deepEqual([failure.error.data.code, failure.error.data.instance], ['forward.upstream-failed', `urn:uuid:${request?.id}`])
})

for (const [when, before] of [
  ['at once', 0],
  ['after it has told its progress', 1],
] as const) {
  test(`a child that does not answer in time times out, silent ${when}`, async () => {
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ deadlines: { total: '100ms' } }) } })
    const params = { name: before === 0 ? 'hang' : 'stall', _meta: { progressToken: 'p' } }
    const { text } = await bench.post('/mcp/crooked', { ...call, params })
    assert.equal(text.includes('notifications/progress'), before === 1)
    assert.match(text, /forward\.upstream-timeout/)
    const { problem, facts } = await bench.toldOf(({ request, facts }) => request?.resource === params.name && facts !== undefined)
    assert.equal(facts?.code ?? problem?.code, 'forward.upstream-timeout')
  })
}

test('a real server that was restarted gets a new session at the address of all upstreams, and the call goes through', async () => {
  let upstream = await everythingOverHttp()
  const port = Number(new URL(upstream.url).port)
  await using bench = await McpBench.open({ upstreams: { every: { url: upstream.url } } })
  await using together = await bench.connect('/mcp')
  await using direct = await bench.connect('/mcp/every')
  const echo = { arguments: { message: 'x' } }
  await together.callTool({ name: 'every__echo', ...echo })
  await direct.callTool({ name: 'echo', ...echo })
  await upstream[Symbol.asyncDispose]()
  upstream = await everythingOverHttp(port)
  try {
    assert.match(JSON.stringify(await together.callTool({ name: 'every__echo', ...echo })), /Echo: x/)
    // At the address of the one upstream the session is the agent's own, so it must hear that it is over: that is 404, whatever the server says.
    const headers = { 'mcp-session-id': direct.transportUsed.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' }
    assert.equal((await bench.post('/mcp/every', { ...call, params: { name: 'echo', ...echo } }, headers)).status, 404)
  } finally {
    await upstream[Symbol.asyncDispose]()
  }
})

test('a call that the upstream finds bad is not taken for a session that is over', async () => {
  const tried: string[] = []
  await using upstream = await scriptedUpstream(
    afterHandshake(({ id, method = '' }, response) => {
      tried.push(method)
      if (method === 'ping') return json(response, { jsonrpc: '2.0', id, result: {} })
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32602, message: 'bad arguments' } }))
      return undefined
    }),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  const { text } = await bench.post('/mcp', { ...call, params: { name: 'crm__get_invoice' } })
  assert.match(text, /bad arguments/)
  assert.deepEqual(tried, ['tools/call', 'ping'])
})
