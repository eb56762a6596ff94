import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { crookedServer, McpBench, packagedServer } from '../fixtures/mcp-bench.ts'

for (const mode of ['legacy', 'auto'] as const) {
  const options = { versionNegotiation: { mode } }

  test(`the official client in mode ${mode} uses server-everything over stdio at both addresses`, async () => {
    await using bench = await McpBench.open({ upstreams: { every: packagedServer('server-everything') } })
    await using direct = await bench.connect('/mcp/every', options)
    const { tools } = await direct.listTools()
    assert.ok(tools.some(({ name }) => name === 'echo'))
    assert.deepEqual((await direct.callTool({ name: 'echo', arguments: { message: 'hello' } })).content, [{ type: 'text', text: 'Echo: hello' }])
    assert.equal(direct.getServerVersion()?.name, 'mcp-servers/everything')

    await using together = await bench.connect('/mcp', options)
    assert.ok((await together.listTools()).tools.some(({ name }) => name === 'every__echo'))
    const sum = await together.callTool({ name: 'every__get-sum', arguments: { a: 2, b: 3 } })
    assert.match(JSON.stringify(sum.content), /is 5/)
    assert.equal(together.getServerVersion()?.name, 'sallyport')
    assert.equal(bench.children.length, 1)
  })

  test(`progress is streamed before the result in mode ${mode}`, async () => {
    await using bench = await McpBench.open({ upstreams: { every: packagedServer('server-everything') } })
    for (const [path, name] of [
      ['/mcp/every', 'trigger-long-running-operation'],
      ['/mcp', 'every__trigger-long-running-operation'],
    ] as const) {
      await using client = await bench.connect(path, options)
      const seen: number[] = []
      const result = await client.callTool({ name, arguments: { duration: 0.3, steps: 3 } }, { onprogress: ({ progress }) => seen.push(progress) })
      assert.deepEqual(seen, [1, 2, 3])
      assert.match(JSON.stringify(result.content), /completed/)
    }
  })

  test(`resources and prompts pass at both addresses in mode ${mode}`, async () => {
    await using bench = await McpBench.open({ upstreams: { every: packagedServer('server-everything') } })
    await using direct = await bench.connect('/mcp/every', options)
    const { resources } = await direct.listResources()
    const uri = resources[0]?.uri ?? ''
    assert.ok((await direct.readResource({ uri })).contents.length > 0)
    assert.ok((await direct.getPrompt({ name: 'simple-prompt' })).messages.length > 0)

    await using together = await bench.connect('/mcp', options)
    const shown = (await together.listResources()).resources[0]?.uri ?? ''
    assert.equal(shown, `mcp+every+${uri}`)
    assert.equal((await together.readResource({ uri: shown })).contents[0]?.uri, shown)
    assert.ok((await together.listPrompts()).prompts.some(({ name }) => name === 'every__simple-prompt'))
    assert.ok((await together.getPrompt({ name: 'every__simple-prompt' })).messages.length > 0)
    assert.ok((await together.listResourceTemplates()).resourceTemplates.every(({ uriTemplate }) => uriTemplate.startsWith('mcp+every+')))
  })

  test(`a call that the client gives up is cancelled at the server in mode ${mode}`, async () => {
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
    for (const [path, prefix] of [
      ['/mcp/crooked', ''],
      ['/mcp', 'crooked__'],
    ] as const) {
      await using client = await bench.connect(path, options)
      const before = await client.callTool({ name: `${prefix}cancellations` })
      const leaving = new AbortController()
      const call = client.callTool({ name: `${prefix}hang` }, { signal: leaving.signal })
      await client.callTool({ name: `${prefix}say`, arguments: { word: 'the server has read both' } })
      leaving.abort()
      await assert.rejects(call)
      await bench.toldOf(
        ({ request, facts, problem }) =>
          request?.action === 'hang' &&
          request.call.kind === 'mcp' &&
          request.call.endpoint === (prefix ? 'aggregate' : 'direct') &&
          (facts ?? problem) !== undefined,
      )
      const after = await client.callTool({ name: `${prefix}cancellations` })
      assert.equal(count(after) - count(before), 1)
    }
  })
}

test('server-filesystem reads the folder that it was given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-files-'))
  try {
    await writeFile(join(folder, 'notes.txt'), 'remember the milk')
    await using bench = await McpBench.open({ upstreams: { files: packagedServer('server-filesystem', folder) } })
    await using client = await bench.connect('/mcp/files')
    const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'notes.txt') } })
    assert.match(JSON.stringify(read.content), /remember the milk/)
    const outside = await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } })
    assert.equal(outside.isError, true)
    assert.equal((await bench.toldOf(({ facts }) => facts?.error === true)).request?.action, 'read_text_file')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('two sessions of one agent share a child and never see each other’s answers; another agent has its own', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
  await using first = await bench.connect('/mcp/crooked')
  await using second = await bench.connect('/mcp/crooked')
  assert.notEqual(first.transportUsed.sessionId, second.transportUsed.sessionId)
  const words = Array.from({ length: 40 }, (_, index) => index)
  const answers = await Promise.all(
    words.flatMap((word) =>
      [first, second].map(async (client, which) => textOf(await client.callTool({ name: 'say', arguments: { word: `${which}-${word}` } }))),
    ),
  )
  assert.deepEqual(
    answers,
    words.flatMap((word) => [`0-${word}`, `1-${word}`]),
  )
  assert.equal(bench.children.length, 1)
  await using other = await bench.connect('/mcp/crooked', { agent: 'agent-b' })
  assert.equal(textOf(await other.callTool({ name: 'say', arguments: { word: 'hello' } })), 'hello')
  assert.deepEqual(new Set(bench.children.map(({ agent }) => `${agent}`)), new Set(['agent-a', 'agent-b']))
})

test('a session cancels its own calls only', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
  await using client = await bench.connect('/mcp/crooked')
  await using other = await bench.connect('/mcp/crooked')
  const sent = bench.post('/mcp/crooked', toolCall(77, 'hang'), sessionOf(client.transportUsed.sessionId))
  await client.callTool({ name: 'say', arguments: { word: 'both are read' } })
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } }
  await bench.post('/mcp/crooked', cancel, sessionOf(other.transportUsed.sessionId))
  assert.equal(textOf(await client.callTool({ name: 'cancellations' })), '0')
  await bench.post('/mcp/crooked', cancel, sessionOf(client.transportUsed.sessionId))
  assert.equal(textOf(await client.callTool({ name: 'cancellations' })), '1')
  assert.match((await sent).text, /forward\.upstream-failed/)
})

for (const mode of ['legacy', 'auto'] as const) {
  test(`a change of the tools reaches a client that listens in mode ${mode}`, async () => {
    await using bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
    const { promise, resolve } = Promise.withResolvers<void>()
    await using client = await bench.connect('/mcp/crooked', {
      versionNegotiation: { mode },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => resolve() } },
    })
    await bench.toldOf(({ request }) => request?.action !== undefined)
    // The stream of a client opens on its own; until it has, a change is said to nobody.
    let heard = false
    void promise.then(() => (heard = true))
    for (let tries = 0; tries < 1000 && !heard; tries += 1) await Promise.race([promise, client.callTool({ name: 'change' })])
    assert.ok(heard)
  })
}

test('a child that dies in the middle of a call fails that call, and the next call starts another', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
  await using client = await bench.connect('/mcp/crooked')
  await assert.rejects(client.callTool({ name: 'die' }), /did not answer properly/)
  assert.equal((await bench.toldOf(({ request }) => request?.action === 'die')).problem?.code, 'forward.upstream-failed')
  assert.equal(textOf(await client.callTool({ name: 'say', arguments: { word: 'again' } })), 'again')
  assert.equal(bench.children[0]?.starts, 2)
})

test('a server that does not come up in time is given up, and the next use starts another', async () => {
  const silent = { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], deadlines: { connect: '100ms' } }
  await using bench = await McpBench.open({ upstreams: { silent } })
  for (const starts of [1, 2]) {
    assert.match((await bench.post('/mcp/silent', toolCall(1, 'anything'))).text, /forward\.upstream-timeout/)
    assert.equal(bench.children[0]?.starts, starts)
  }
})

test('a server that keeps dying is given a pause instead of being started without end', async () => {
  await using bench = await McpBench.open({ upstreams: { broken: { command: [process.execPath, '-e', 'process.exit(1)'] } } })
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  }
  for (let call = 0; call < 12; call += 1) assert.match((await bench.post('/mcp/broken', initialize)).text, /forward\.upstream-failed/)
  assert.ok((bench.children[0]?.starts ?? 0) < 6)
  assert.match((await bench.post('/mcp/broken', initialize)).text, /retryAfterSeconds/)
})

function toolCall(id: number, name: string): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } }
}

function sessionOf(id: string | undefined): Record<string, string> {
  return { 'mcp-session-id': id ?? '', 'mcp-protocol-version': '2025-11-25' }
}

function textOf(result: { readonly content?: unknown }): string {
  const [first] = Array.isArray(result.content) ? result.content : []
  return String(first?.text)
}

function count(result: { readonly content?: unknown }): number {
  return Number(textOf(result))
}

test('what a child started ends with it, and so does its own folder', async () => {
  const bench = await McpBench.open({ upstreams: { crooked: crookedServer() } })
  await using client = await bench.connect('/mcp/crooked')
  const grandchild = Number(textOf(await client.callTool({ name: 'multiply' })))
  const folder = textOf(await client.callTool({ name: 'folder' }))
  assert.ok(isRunning(grandchild))
  await bench[Symbol.asyncDispose]()
  await assert.rejects(access(folder))
  while (isRunning(grandchild)) await setImmediate()
})

test('a child that nobody uses is stopped, and started again when it is', async () => {
  await using bench = await McpBench.open({ upstreams: { crooked: crookedServer({ idle: '1ms' }) } })
  const headers = { 'mcp-protocol-version': '2025-11-25' }
  const folders = new Set<string>()
  for (const starts of [1, 2, 3]) {
    folders.add(JSON.parse((await bench.post('/mcp/crooked', toolCall(1, 'folder'), headers)).text).result.content[0].text)
    while (bench.children[0]?.state !== 'waiting') await setImmediate()
    assert.equal(bench.children[0].starts, starts)
  }
  assert.equal(folders.size, 3)
})

/** A process that ended but was not yet reaped by its parent counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
