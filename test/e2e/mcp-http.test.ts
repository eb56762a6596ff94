import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { everythingOverHttp, sdkUpstream } from '../fixtures/mcp-upstreams.ts'

test('[T2] the official client uses server-everything over streamable HTTP with sessions, at both addresses', async () => {
  await using upstream = await everythingOverHttp()
  await using bench = await McpBench.open({ upstreams: { every: { url: upstream.url } } })
  await using direct = await bench.connect('/mcp/every')
  assert.ok((await direct.listTools()).tools.some(({ name }) => name === 'echo'))
  const seen: number[] = []
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }
  assert.match(JSON.stringify((await direct.callTool(long, { onprogress: ({ progress }) => seen.push(progress) })).content), /completed/)
  assert.deepEqual(seen, [1, 2, 3])
  assert.ok((await direct.listResources()).resources.length > 0)
  assert.ok((await direct.getPrompt({ name: 'simple-prompt' })).messages.length > 0)
  assert.deepEqual((await bench.toldOf(({ facts, request }) => request?.action === long.name && facts !== undefined)).facts?.result, 'answered')
  await direct.transportUsed.terminateSession()

  await using together = await bench.connect('/mcp')
  assert.deepEqual((await together.callTool({ name: 'every__echo', arguments: { message: 'hello' } })).content, [{ type: 'text', text: 'Echo: hello' }])
  assert.ok((await together.listPrompts()).prompts.some(({ name }) => name === 'every__simple-prompt'))
})

for (const { legacy, mode } of [
  { legacy: 'stateless', mode: 'legacy' },
  { legacy: 'stateless', mode: 'auto' },
  { legacy: 'reject', mode: 'auto' },
] as const) {
  test(`a client in mode ${mode} and an SDK server with legacy: ${legacy} agree on a revision through the gateway`, async () => {
    await using upstream = await sdkUpstream(legacy)
    await using bench = await McpBench.open({ upstreams: { sdk: { url: upstream.url } } })
    await using client = await bench.connect('/mcp/sdk', { versionNegotiation: { mode } })
    assert.equal(client.getNegotiatedProtocolVersion(), mode === 'auto' ? '2026-07-28' : '2025-11-25')
    assert.ok((await client.listTools()).tools.some(({ name }) => name === 'echo'))
    assert.deepEqual((await client.callTool({ name: 'echo', arguments: { message: 'hello' } })).content, [{ type: 'text', text: 'hello' }])
    assert.deepEqual((await client.readResource({ uri: 'notes://one' })).contents, [{ uri: 'notes://one', text: 'note' }])
    assert.equal((await client.getPrompt({ name: 'greet' })).messages.length, 1)
  })
}

for (const mode of ['legacy', 'auto'] as const) {
  test(`at /mcp a client in mode ${mode} reaches servers of both revisions`, async () => {
    await using old = await everythingOverHttp()
    await using recent = await sdkUpstream('reject')
    await using bench = await McpBench.open({ upstreams: { old: { url: old.url }, recent: { url: recent.url } } })
    await using client = await bench.connect('/mcp', { versionNegotiation: { mode } })
    const names = new Set((await client.listTools()).tools.map(({ name }) => name))
    assert.ok(names.has('old__echo') && names.has('recent__echo'))
    assert.deepEqual((await client.callTool({ name: 'old__echo', arguments: { message: 'x' } })).content, [{ type: 'text', text: 'Echo: x' }])
    assert.deepEqual((await client.callTool({ name: 'recent__echo', arguments: { message: 'x' } })).content, [{ type: 'text', text: 'x' }])
    assert.deepEqual((await client.readResource({ uri: 'mcp+recent+notes://one' })).contents, [{ uri: 'mcp+recent+notes://one', text: 'note' }])
  })

  test(`an HTTP upstream hears that a client in mode ${mode} gave up a call`, async () => {
    await using upstream = await sdkUpstream('stateless')
    await using bench = await McpBench.open({ upstreams: { sdk: { url: upstream.url } } })
    await using client = await bench.connect('/mcp/sdk', { versionNegotiation: { mode } })
    const leaving = new AbortController()
    await assert.rejects(client.callTool({ name: 'slow' }, { signal: leaving.signal, onprogress: () => leaving.abort() }))
    // A server of the older revision without sessions can only be told by the end of the connection.
    if (mode === 'legacy') await client.close()
    await upstream.aborted
    assert.equal((await bench.toldOf(({ request, facts }) => request?.action === 'slow' && facts !== undefined)).facts?.result, 'cancelled')
  })
}

test('one upstream that cannot be reached and one that hangs do not hide the others in a list', async () => {
  await using upstream = await sdkUpstream('stateless')
  await using bench = await McpBench.open({
    upstreams: {
      sdk: { url: upstream.url },
      dead: { url: 'http://127.0.0.1:9/mcp' },
      silent: { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'] },
    },
    listDeadlineMs: 500,
  })
  await using client = await bench.connect('/mcp')
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'sdk__echo'))
})

test('a multi-round-trip result passes where the operator allows the request in it', async () => {
  await using upstream = await sdkUpstream('reject')
  await using bench = await McpBench.open({ upstreams: { sdk: { url: upstream.url, serverRequests: ['elicitation/create'] } } })
  await using client = await bench.connect('/mcp/sdk', { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } })
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { yes: true } }))
  assert.match(JSON.stringify((await client.callTool({ name: 'confirm' })).content), /yes/)
})

for (const mode of ['legacy', 'auto'] as const) {
  test(`[T14] the official client in mode ${mode} reads a held call as a tool error that says how to go on, and a denied one as an error`, async () => {
    await using upstream = await sdkUpstream('stateless')
    await using bench = await McpBench.open({
      upstreams: { sdk: { url: upstream.url } },
      rules: [{ id: 'ask-first', match: { action: 'echo' }, then: 'hold' }],
    })
    await using client = await bench.connect('/mcp/sdk', { versionNegotiation: { mode } })
    const call = { name: 'echo', arguments: { message: 'hello' } }
    const held = await client.callTool(call)
    assert.equal(held.isError, true)
    const id = /sallyport approve ([^`]+)`/.exec(JSON.stringify(held.content))?.[1] ?? ''
    await assert.rejects(client.callTool({ name: 'confirm' }), /No rule permits this call/)
    bench.state.approvals.answer(id, 'approved', 'someone', Date.now())
    assert.deepEqual((await client.callTool(call)).content, [{ type: 'text', text: 'hello' }])
  })
}
