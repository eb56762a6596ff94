import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { RecordEvent } from '@sallyport/contract'
import { readOrCreateSecret } from '@sallyport/runtime'
import { refusedSinglyMax } from '../../packages/runtime/src/records/refused-clients.ts'
import { ask } from '../fixtures/ask-bridge.ts'
import { cutRelay, type CutRelay } from '../fixtures/cut-relay.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))
const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))

/** Node lets the process write no file but the one of the client secret, which it opens to see whether it is there. */
function withoutWriting(whole: WholeGateway): readonly string[] {
  return ['--permission', '--allow-fs-read=*', `--allow-fs-write=${join(whole.folder, 'bot', 'connect.secret')}`]
}

async function configured(whole: WholeGateway): Promise<string> {
  const rules = [{ id: 'all', match: { agent: 'bot', upstream: ['api', 'old'] }, then: 'permit' }]
  await whole.configure(rules, [], '127.0.0.1:0', { old: { protocol: 'mcp', sandbox: 'none', command: [process.execPath, everything] } })
  await whole.start()
  await whole.enrolAgent()
  return await readOrCreateSecret(join(whole.folder, 'bot'), randomBytes)
}

async function writeLogging(whole: WholeGateway, { port }: CutRelay, more: object = {}): Promise<string> {
  const path = join(whole.folder, 'bot', 'logging.json')
  await writeFile(
    path,
    JSON.stringify({ logging: { audit_target: `agentport://127.0.0.1:${port}`, local_retention_hours: 0, record_within_ms: 500, ...more } }),
  )
  return path
}

async function bridge(whole: WholeGateway): Promise<AsyncDisposable & { readonly child: ChildProcess; readonly port: number }> {
  const home = join(whole.folder, 'home')
  await mkdir(home, { recursive: true })
  const args = [...withoutWriting(whole), program, 'connect', '--identity', join(whole.folder, 'bot'), '--listen', '127.0.0.1:0', '--json']
  const child = spawn(process.execPath, args, { cwd: home, env: { HOME: home, TMPDIR: home }, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [line] = await Promise.race([once(child.stdout, 'data'), exited])
  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  return { child, port: JSON.parse(String(line)).port, [Symbol.asyncDispose]: dispose }
}

async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) files[join(entry.parentPath, entry.name)] = (await readFile(join(entry.parentPath, entry.name))).toString('base64')
  return files
}

async function recordsOf(whole: WholeGateway): Promise<readonly RecordEvent[]> {
  return (await whole.events()).flatMap((event) => (event.type === 'record' ? [event] : []))
}

async function recorded(whole: WholeGateway, kind: string): Promise<RecordEvent> {
  for (;;) {
    const found = (await recordsOf(whole)).find((record) => record.kind === kind)
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('[L2] the bridge records at the gateway what only it sees, writes nothing on its host, and forwards nothing while it cannot record', async () => {
  await using whole = await wholeGateway()
  const secret = await configured(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  await writeLogging(whole, relay)
  const before = await filesIn(join(whole.folder, 'bot'))
  await using running = await bridge(whole)
  const { child, port } = running
  const call = async () => (await ask(port, { path: '/http/api/things/1', headers: { 'x-sallyport-secret': secret } })).json
  assert.deepEqual((await recorded(whole, 'bridge.opened')).facts, { mode: 'http', listen: '127.0.0.1:0' })
  assert.deepEqual(await call(), { ok: true })

  const page = { 'x-sallyport-secret': secret, origin: 'https://evil.example' }
  for (let times = 0; times < 20; times += 1) await ask(port, { path: '/http/api/things/1', headers: { 'x-sallyport-secret': 'wrong' } })
  assert.equal((await ask(port, { path: '/http/api/things/1', headers: page })).json?.['code'], 'connect.origin-refused')

  relay.set('away')
  const seen = whole.seen.length
  let refused = await call()
  while (refused?.['code'] !== 'connect.not-recorded') refused = await call()
  const passed = whole.seen.length
  for (let times = 0; times < 5; times += 1) assert.equal((await call())?.['code'], 'connect.not-recorded')
  assert.equal(whole.seen.length, passed, 'nothing was forwarded')
  assert.ok(passed >= seen)
  relay.set('whole')
  while ((await call())?.['ok'] !== true) await new Promise((resolve) => setTimeout(resolve, 20))

  child.kill('SIGTERM')
  await once(child, 'exit')
  assert.deepEqual(
    (await recordsOf(whole)).map(({ kind, facts }) => `${kind} ${Object.values(facts).join(' ')}`),
    [
      'bridge.opened 127.0.0.1:0 http',
      ...Array.from({ length: refusedSinglyMax }, () => 'client.refused connect.secret-required'),
      'client.refused connect.origin-refused https://evil.example',
      'client.refused connect.secret-required 17',
      'bridge.closed ',
    ],
  )
  assert.deepEqual(await filesIn(join(whole.folder, 'bot')), before)
  assert.deepEqual(await filesIn(join(whole.folder, 'home')), {})
  const acts = (await whole.events()).flatMap((event) => (event.type === 'runtime' ? [event.act] : []))
  assert.deepEqual(acts, ['opened', 'closed'])
  await whole.assertLogVerifies(whole.running.logKey)
})

test('[L2] a session of an MCP client is recorded before the client hears of it, and no tool is called while nothing can be recorded', async () => {
  await using whole = await wholeGateway()
  await configured(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  const logging = await writeLogging(whole, relay)
  const args = [...withoutWriting(whole), program, 'connect', '--identity', join(whole.folder, 'bot'), '--stdio', 'old', '--logging', logging]
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args }))
  const opened = await recorded(whole, 'client.session-opened')
  assert.deepEqual(opened.facts, { path: '/mcp/old' })
  assert.match(JSON.stringify((await client.callTool({ name: 'echo', arguments: { message: 'heard' } })).content), /heard/)
  relay.set('away')
  const refusal = async (): Promise<string> => {
    for (;;) {
      const said = await client.callTool({ name: 'echo', arguments: { message: 'down' } }).catch((error: unknown) => String(error))
      if (typeof said === 'string') return said
    }
  }
  assert.match(await refusal(), /must be recorded/)
  const calls = async (): Promise<number> => (await whole.events()).filter((event) => event.type === 'decision' && event.action === 'echo').length
  const made = await calls()
  assert.match(await refusal(), /must be recorded/)
  assert.equal(await calls(), made)
  await client.close()
})

test('a logging that keeps records on the host, or names no target, is refused with what to do', async () => {
  await using whole = await wholeGateway()
  await configured(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  const faults = [
    [{ local_retention_hours: 24 }, /only 0: records are kept by the gateway/],
    [{ audit_target: 'https://gateway.example:8443' }, /agentport:\/\//],
    [{ audit_target: 'agentport://127.0.0.1:70000' }, /no port/],
    [{ spool: '/tmp/x' }, /spool/],
  ] as const
  for (const [more, said] of faults) {
    const path = await writeLogging(whole, relay, more)
    const child = spawn(process.execPath, [program, 'connect', '--identity', join(whole.folder, 'bot'), '--listen', '127.0.0.1:0', '--logging', path], {
      stdio: 'pipe',
    })
    let text = ''
    child.stderr.on('data', (piece: Buffer) => (text += piece.toString()))
    const [code] = await once(child, 'exit')
    assert.equal(code, 78, text)
    assert.match(text, said)
  }
})
