import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { LogEvent } from '@sallyport/contract'
import { Agent, fetch as undiciFetch, request } from 'undici'
import { everythingOverHttp, type ServedUpstream } from '../fixtures/mcp-upstreams.ts'
import { credential, redacted } from '../fixtures/results.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

/** What agents send and get is looked through, at a whole gateway with an HTTP API and a real MCP server behind it. */

const card = '4111 1111 1111 1111'
const env = `STAGE=production\nTOKEN=${credential}\n`
const whole = await wholeGateway()
const api = createServer((incoming, outgoing) => {
  const path = incoming.url ?? ''
  if (path === '/files/env') outgoing.writeHead(200, { 'content-type': 'text/plain', 'content-length': env.length }).end(env)
  else if (path === '/files/env.json')
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ content: Buffer.from(env).toString('base64') }))
  else incoming.resume().on('end', () => outgoing.writeHead(204).end())
})
let everything: ServedUpstream
let dispatcher: Agent
let logKey = ''

before(async () => {
  everything = await everythingOverHttp()
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const address = api.address()
  assert.ok(typeof address === 'object' && address)
  const operations = [
    { name: 'read_file', method: 'GET', path: '/files/{name}' },
    { name: 'send_mail', method: 'POST', path: '/mails' },
  ]
  const addresses = { allow: ['127.0.0.1/32'] }
  await whole.configure(
    [
      { id: 'all', match: { agent: 'bot', action: ['*', 'unlisted'] }, then: 'permit' },
      { id: 'no-cards-out', match: {}, when: 'detects(args, "personal/credit-card")', then: 'deny' },
      { id: 'secrets-need-a-person', match: { upstream: 'files', action: 'send_mail' }, when: 'detects(args.body, "secret")', then: 'hold' },
    ],
    [],
    '127.0.0.1:0',
    {
      files: { protocol: 'http', url: `http://127.0.0.1:${address.port}`, addresses, operations },
      every: { protocol: 'mcp', url: everything.url, addresses },
    },
    {
      results: [
        { id: 'no-secrets', match: {}, detect: ['secret'], then: 'redact' },
        { id: 'no-mail', match: { upstream: 'every', action: 'echo' }, detect: ['personal/email'], then: 'deny' },
        { id: 'trying', match: {}, detect: ['personal'], then: 'deny', mode: 'shadow' },
      ],
    },
  )
  logKey = (await whole.start()).logKey
  await whole.enrolAgent()
  const read = (file: string): Promise<string> => readFile(join(whole.folder, 'bot', file), 'utf8')
  dispatcher = new Agent({ connect: { key: await read('agent.key'), cert: await read('agent.crt'), ca: await read('bundle.crt') } })
})

after(async () => {
  await dispatcher.destroy()
  await everything[Symbol.asyncDispose]()
  api.closeAllConnections()
  api.close()
  await whole[Symbol.asyncDispose]()
})

async function ask(path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
  const sent = body && { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const { statusCode, body: answered } = await request(`https://${whole.running.addresses.agents}/http/files${path}`, { dispatcher, ...sent })
  return { status: statusCode, text: await answered.text() }
}

async function callEcho(message: string): Promise<string> {
  // A dispatcher goes with the fetch of the same undici; its types are another copy of those that Node's own fetch has.
  const fetch = ((url: string | URL, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`https://${whole.running.addresses.agents}/mcp/every`), { fetch }))
  try {
    return JSON.stringify(await client.callTool({ name: 'echo', arguments: { message } }))
  } catch (error) {
    return String(error)
  } finally {
    await client.close()
  }
}

test('an API answers with credentials, and the agent gets the answer without them', async () => {
  assert.deepEqual(await ask('/files/env'), { status: 200, text: env.replace(credential, redacted) })
  const { text } = await ask('/files/env.json')
  assert.match(JSON.parse(text).content, /^[A-Za-z0-9+/]{30,}\[redacted secret\/github-token\]/)
})

test('a call that sends card numbers is denied, one that sends credentials waits for a person', async () => {
  assert.match((await ask('/mails', { to: 'x', lines: ['pay with', { card }] })).text, /policy\.denied/)
  assert.match((await ask('/mails', { to: 'x', body: JSON.stringify({ token: credential }) })).text, /policy\.approval-required/)
  assert.equal((await ask('/mails', { to: 'x', body: 'hello' })).status, 204)
})

test('a real MCP server answers with what must not pass', async () => {
  assert.match(await callEcho('hello'), /Echo: hello/)
  assert.match(await callEcho(`it is ${credential}!`), /Echo: it is \[redacted secret\/github-token\]!/)
  assert.match(await callEcho('write to me@example.com'), /A rule withholds the answer to this call/)
})

test('the log says what was found, where and how often, and holds none of it', async () => {
  await whole.stop()
  const events = await whole.events()
  const written = JSON.stringify(events)
  for (const held of [credential, card, 'me@example.com']) assert.ok(!written.includes(held), held)
  const decisions = (rule: string): readonly unknown[] =>
    events.flatMap((event: LogEvent) => (event.type === 'decision' && event.rules.includes(rule) ? [event.found] : []))
  assert.deepEqual(decisions('no-cards-out'), [[{ detector: 'personal/credit-card', path: 'args.body.lines.card', count: 1 }]])
  assert.deepEqual(decisions('secrets-need-a-person'), [[{ detector: 'secret/github-token', path: 'args.body.body', count: 1 }]])
  const outcomes = events.flatMap((event) => (event.type === 'outcome' && event.found ? [event] : []))
  assert.deepEqual(
    outcomes.map(({ found }) => found),
    [
      [{ rule: 'no-secrets', detector: 'secret/github-token', count: 1 }],
      [{ rule: 'no-secrets', detector: 'secret/github-token', count: 1 }],
      [{ rule: 'no-secrets', detector: 'secret/github-token', count: 1 }],
      [
        { rule: 'no-mail', detector: 'personal/email', count: 1 },
        { rule: 'trying', detector: 'personal/email', count: 1, shadow: true },
      ],
    ],
  )
  assert.deepEqual([outcomes.at(-1)?.result, outcomes.at(-1)?.code], ['failed', 'policy.result-denied'])
  await whole.assertLogVerifies(logKey)
  assert.deepEqual(whole.faults, [])
})
