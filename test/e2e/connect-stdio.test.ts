import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { Client, ProtocolError, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { ownPaths, problemDocument } from '@sallyport/contract'
import { enrolledFolder, startPeer, type Handler, type Peer } from '../fixtures/mtls-echo.ts'
import { modernServer, startEverything } from '../fixtures/mcp-behind-peer.ts'

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))

interface Connected {
  readonly client: Client
  readonly peer: Peer
  readonly transport: StdioClientTransport
}

/** The official client, starting the bridge as it would start any stdio server. */
async function connect(t: TestContext, upstream: string, handler: Handler, options: ClientOptions = {}): Promise<Connected> {
  const offer = JSON.stringify({ upstreams: [{ name: upstream, protocol: 'mcp', hosts: [] }] })
  const peer = await startPeer(t, (incoming, outgoing) => {
    if (incoming.url !== ownPaths.catalog) return handler(incoming, outgoing)
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(offer)
    return true
  })
  const directory = await enrolledFolder(t, peer)
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, 'connect', '--stdio', upstream],
    env: { SALLYPORT_IDENTITY: directory },
  })
  const client = new Client({ name: 'test', version: '1.0.0' }, options)
  t.after(() => client.close())
  await client.connect(transport)
  return { client, peer, transport }
}

test('in revision 2025-11-25 a session is opened, carried in every request and ended', async (t) => {
  const { handler, passed } = await startEverything(t)
  const { client } = await connect(t, 'everything', handler)
  assert.deepEqual((await client.callTool({ name: 'echo', arguments: { message: 'x' } })).content, [{ type: 'text', text: 'Echo: x' }])
  await client.close()
  const [initialize, ...later] = passed
  assert.equal(initialize?.headers['mcp-session-id'], undefined)
  const session = later[0]?.headers['mcp-session-id']
  assert.ok(session)
  for (const { headers } of later) assert.deepEqual([headers['mcp-session-id'], headers['mcp-protocol-version']], [session, '2025-11-25'])
  assert.ok(passed.some(({ method }) => method === 'GET'))
  assert.equal(passed.at(-1)?.method, 'DELETE')
})

test('in revision 2026-07-28 the headers of a request repeat its body, and no text becomes a header of its own', async (t) => {
  const { handler, passed } = modernServer()
  const { client } = await connect(t, 'modern', handler, { versionNegotiation: { mode: 'auto' } })
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
  await client.listTools()
  for (const text of ['plain', 'über', ' spaces ', 'line\r\nX-Injected: 1']) {
    const { content } = await client.callTool({ name: 'repeat', arguments: { text } })
    assert.deepEqual(content, [{ type: 'text', text }])
  }
  const calls = passed.filter(({ headers }) => headers['mcp-method'] === 'tools/call')
  assert.equal(calls.length, 4)
  for (const { headers } of calls) {
    assert.equal(headers['mcp-protocol-version'], '2026-07-28')
    assert.equal(headers['mcp-name'], 'repeat')
    assert.equal(headers['x-injected'], undefined)
  }
  assert.equal(calls[0]?.headers['mcp-param-text'], 'plain')
  assert.equal(calls[3]?.headers['mcp-param-text'], `=?base64?${Buffer.from('line\r\nX-Injected: 1').toString('base64')}?=`)
  assert.ok(passed.every(({ method, headers }) => method === 'POST' && headers['mcp-session-id'] === undefined))
})

test('a cancelled request of revision 2026-07-28 is cancelled at the server', async (t) => {
  const { handler, passed, cancelled } = modernServer()
  const { client } = await connect(t, 'modern', handler, { versionNegotiation: { mode: 'auto' } })
  const stop = new AbortController()
  const calling = client.callTool({ name: 'wait', arguments: {} }, { signal: stop.signal })
  const arrived = (): boolean => passed.some(({ headers }) => headers['mcp-name'] === 'wait')
  while (!arrived()) await client.ping().catch(() => client.listTools())
  stop.abort(new Error('enough'))
  await assert.rejects(calling)
  await cancelled
  assert.ok((await client.listTools()).tools.length > 0)
})

test('a refusal of the gateway is a JSON-RPC error with the problem document', async (t) => {
  const document = problemDocument({ code: 'identity.blocked', detail: 'Ask your operator.' }, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
  const { handler } = await startEverything(t)
  const isRefusing = { value: false }
  const { client } = await connect(t, 'everything', (incoming, outgoing) => {
    if (!isRefusing.value || incoming.method !== 'POST') return handler(incoming, outgoing)
    incoming.resume()
    outgoing.writeHead(403, { 'content-type': 'application/problem+json', 'sallyport-problem': document.code }).end(JSON.stringify(document))
    return true
  })
  isRefusing.value = true
  await assert.rejects(client.listTools(), (error) => {
    assert.ok(error instanceof ProtocolError)
    assert.equal(error.code, -32000)
    assert.match(error.message, /The agent or its tenant is blocked\. Ask your operator\./)
    assert.deepEqual(error.data, document)
    return true
  })
  isRefusing.value = false
  assert.ok((await client.listTools()).tools.length > 0)
})

test('a gateway that went away is an error that says so, and a call that was cut is not reported as undone', async (t) => {
  const { handler } = await startEverything(t)
  const cut = { value: false }
  const { client, peer } = await connect(t, 'everything', (incoming, outgoing) => {
    if (!cut.value || incoming.method !== 'POST') return handler(incoming, outgoing)
    incoming.once('end', () => incoming.socket.destroy()).resume()
    return true
  })
  cut.value = true
  await assert.rejects(client.callTool({ name: 'echo', arguments: { message: 'x' } }), (error) => {
    assert.ok(error instanceof ProtocolError)
    assert.match(error.message, /may have taken effect/)
    return true
  })
  peer.server.close()
  peer.server.closeAllConnections()
  await assert.rejects(client.callTool({ name: 'echo', arguments: { message: 'x' } }), (error) => {
    assert.ok(error instanceof ProtocolError)
    assert.match(error.message, /nothing listens at .*had no effect/)
    return true
  })
})

test('a session that the gateway has lost is opened again, and the call goes through', async (t) => {
  const before = await startEverything(t)
  const after = await startEverything(t)
  const isRestarted = { value: false }
  const { client } = await connect(t, 'everything', (incoming, outgoing) => {
    if (!isRestarted.value) return before.handler(incoming, outgoing)
    if (incoming.headers['mcp-session-id'] !== before.passed.at(-1)?.headers['mcp-session-id']) return after.handler(incoming, outgoing)
    incoming.resume()
    const lost = problemDocument({ code: 'access.session-invalid' }, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
    outgoing.writeHead(404, { 'content-type': 'application/problem+json', 'sallyport-problem': lost.code }).end(JSON.stringify(lost))
    return true
  })
  await client.listTools()
  isRestarted.value = true
  const calls = ['a', 'b', 'c'].map((message) => client.callTool({ name: 'echo', arguments: { message } }))
  const answers = await Promise.all(calls)
  assert.deepEqual(
    answers.map(({ content }) => content),
    ['a', 'b', 'c'].map((message) => [{ type: 'text', text: `Echo: ${message}` }]),
  )
  assert.equal(after.passed.filter(({ method, headers }) => method === 'POST' && headers['mcp-session-id'] === undefined).length, 1)
})
