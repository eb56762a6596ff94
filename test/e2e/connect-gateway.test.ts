import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client, ProtocolError, StreamableHTTPClientTransport, type ClientOptions, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { LogEvent } from '@sallyport/contract'
import { identityInFolder, openBridge, openLink, readOrCreateSecret, type Bridge } from '@sallyport/runtime'
import { ProxyAgent, request } from 'undici'
import { sdkUpstream } from '../fixtures/mcp-upstreams.ts'
import { readAll } from '../fixtures/mtls-echo.ts'
import { clock, wholeGateway } from '../fixtures/whole-gateway.ts'

/** The bridge between real clients and a whole gateway, with real MCP servers of both revisions and an HTTP API behind it. */

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))
const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))
const whole = await wholeGateway()
const modern = await sdkUpstream('reject')
let secret = ''
let bridge: Bridge
let closeLink = async (): Promise<void> => undefined

before(async () => {
  const rules = [
    { id: 'all-mcp', match: { agent: 'bot', upstream: ['old', 'modern'] }, then: 'permit' },
    { id: 'no-env', match: { upstream: 'old', action: 'get-env' }, then: 'deny' },
    { id: 'things', match: { agent: 'bot', upstream: 'api', action: 'get_thing' }, then: 'permit' },
  ]
  await whole.configure(rules, [], '127.0.0.1:0', {
    old: { protocol: 'mcp', sandbox: 'none', command: [process.execPath, everything] },
    modern: { protocol: 'mcp', url: modern.url, addresses: { allow: ['127.0.0.1/32'] } },
    hidden: { protocol: 'mcp', url: modern.url, addresses: { allow: ['127.0.0.1/32'] } },
  })
  await whole.start()
  await whole.enrolAgent()
  const directory = join(whole.folder, 'bot')
  secret = await readOrCreateSecret(directory, randomBytes)
  const link = await openLink({ identity: identityInFolder(directory), clock, report: (failure) => assert.fail(String(failure)) })
  closeLink = link.close
  const report = (failure: unknown): void => assert.fail(String(failure))
  const listen = { host: '127.0.0.1', port: 0 }
  bridge = await openBridge({ link, listen, clientSecret: secret, allowedOrigins: [], clock, newId: randomUUID, report })
})

after(async () => {
  await bridge.close()
  await closeLink()
  await modern[Symbol.asyncDispose]()
  await whole[Symbol.asyncDispose]()
})

const identity = (): string => join(whole.folder, 'bot')

function overStdio(...upstream: readonly string[]): Transport {
  return new StdioClientTransport({ command: process.execPath, args: [program, 'connect', '--identity', identity(), '--stdio', ...upstream] })
}

function overHttp(path: string): Transport {
  return new StreamableHTTPClientTransport(new URL(`${bridge.url}${path}`), { requestInit: { headers: { authorization: `Bearer ${secret}` } } })
}

async function connected(transport: Transport, options: ClientOptions = {}): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1.0.0' }, options)
  await client.connect(transport)
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

async function decisions(): Promise<Extract<LogEvent, { type: 'decision' }>[]> {
  return (await whole.events()).filter((event) => event.type === 'decision').filter(({ upstream }) => upstream === 'api')
}

for (const [name, open] of Object.entries({ stdio: overStdio, HTTP: (upstream: string) => overHttp(`/mcp/${upstream}`) })) {
  test(`over ${name}, revision 2025-11-25: tools, progress, many at once, and a refusal by a rule`, async () => {
    await using client = await connected(open('old'))
    const { tools } = await client.listTools()
    assert.ok(tools.some((tool) => tool.name === 'echo'))
    assert.ok(!tools.some((tool) => tool.name === 'get-env'), 'what is denied is not offered')
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'über\nzwei Zeilen' } })
    assert.deepEqual(content, [{ type: 'text', text: 'Echo: über\nzwei Zeilen' }])

    const seen: number[] = []
    const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }
    await client.callTool(long, { onprogress: ({ progress }) => seen.push(progress) })
    assert.deepEqual(seen.slice(0, 2), [1, 2]) // the client itself may drop one that arrives together with the result

    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)
    const answers = await Promise.all(texts.map((message) => client.callTool({ name: 'echo', arguments: { message } })))
    assert.deepEqual(
      answers.map((answer) => answer.content),
      texts.map((text) => [{ type: 'text', text: `Echo: ${text}` }]),
    )

    await assert.rejects(client.callTool({ name: 'get-env', arguments: {} }), (error) => {
      assert.ok(error instanceof ProtocolError)
      assert.match(JSON.stringify(error.data), /"code":"policy\.denied"/)
      return true
    })
  })

  test(`over ${name}, revision 2026-07-28: negotiated, and served by a server that speaks no other`, async () => {
    await using client = await connected(open('modern'), { versionNegotiation: { mode: 'auto' } })
    assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
    for (const message of ['plain', 'über', ' spaces ', 'line\r\nX-Injected: 1']) {
      assert.deepEqual((await client.callTool({ name: 'echo', arguments: { message } })).content, [{ type: 'text', text: message }])
    }
    const leaving = new AbortController()
    await assert.rejects(client.callTool({ name: 'slow', arguments: {} }, { signal: leaving.signal, onprogress: () => leaving.abort() }))
    assert.deepEqual((await client.callTool({ name: 'echo', arguments: { message: 'after' } })).content, [{ type: 'text', text: 'after' }])
  })
}

for (const mode of ['legacy', 'auto'] as const) {
  test(`all upstreams together, in mode ${mode}: tools of servers of both revisions, none of one that no rule reaches`, async () => {
    await using client = await connected(overStdio(), { versionNegotiation: { mode } })
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    assert.ok(names.includes('old__echo') && names.includes('modern__echo'))
    assert.ok(!names.some((name) => name.startsWith('hidden__')))
    for (const name of ['old__echo', 'modern__echo']) {
      assert.match(JSON.stringify((await client.callTool({ name, arguments: { message: 'hello' } })).content), /hello/)
    }
  })
}

test('what "connect CLIENT --write" writes is what a client needs: the official client starts from it', async () => {
  const home = join(whole.folder, 'home')
  const writing = spawn(process.execPath, [program, 'connect', 'cursor', '--each', '--write', '--yes', '--json'], {
    env: { HOME: home, SALLYPORT_IDENTITY: identity() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  assert.deepEqual(JSON.parse(await readAll(writing.stdout)).servers, ['sallyport-old', 'sallyport-modern'])
  const { mcpServers } = JSON.parse(await readFile(join(home, '.cursor', 'mcp.json'), 'utf8'))
  await using client = await connected(new StdioClientTransport(mcpServers['sallyport-old']))
  assert.match(JSON.stringify((await client.callTool({ name: 'echo', arguments: { message: 'written' } })).content), /written/)
})

const programs = {
  'fetch, which opens a tunnel': 'fetch("http://api.internal/things/7").then((answer) => console.log(answer.status))',
  'http.get, which asks for the whole URL': 'require("node:http").get("http://api.internal/things/7", (answer) => console.log(answer.resume().statusCode))',
}

for (const [name, code] of Object.entries(programs)) {
  test(`a program that knows only HTTP_PROXY reaches the API through the rules: ${name}`, async () => {
    const [seen, decided] = [whole.seen.length, (await decisions()).length]
    const env = { HTTP_PROXY: `http://sallyport:${secret}@127.0.0.1:${bridge.port}`, NODE_USE_ENV_PROXY: '1' }
    const child = spawn(process.execPath, ['-e', code], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    assert.equal(await readAll(child.stdout), '200\n')
    assert.deepEqual(whole.seen.slice(seen), [{ url: '/things/7', authorization: undefined }])
    assert.deepEqual(
      (await decisions()).slice(decided).map(({ action, decision }) => [action, decision]),
      [['get_thing', 'permit']],
    )
  })
}

test('each request in a tunnel is decided for itself, and one tunnel serves many', async () => {
  const decided = (await decisions()).length
  const agent = new ProxyAgent({ uri: `http://sallyport:${secret}@127.0.0.1:${bridge.port}`, proxyTunnel: true })
  const status = async (path: string): Promise<number> => {
    const { statusCode, body } = await request(`http://api.internal${path}`, { dispatcher: agent })
    await body.dump()
    return statusCode
  }
  assert.deepEqual([await status('/things/1'), await status('/other'), await status('/things/2')], [200, 403, 200])
  assert.deepEqual(
    (await decisions()).slice(decided).map(({ decision }) => decision),
    ['permit', 'deny', 'permit'],
  )
  await assert.rejects(request('http://evil.example/', { dispatcher: agent }), /403/)
  await assert.rejects(request('https://api.internal/things/1', { dispatcher: agent }), /501/)
  await agent.close()
})
