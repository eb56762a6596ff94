// Telemetry leaves for another system, often another company's. Nothing that an agent or an upstream writes may travel with it.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { OtlpReceiver } from '../fixtures/otlp-receiver.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const secret = 'Zk3vQ9secretWq7X'
const credential = 'upstream-credential-8fK2'
const receiverKey = 'receiver-key-55aBcD'

/** Calls as an agent that writes the secret wherever it can. */
async function call(whole: WholeGateway, method: string, path: string, headers: Record<string, string>, body = ''): Promise<number> {
  const [key, cert, ca] = await Promise.all(['agent.key', 'agent.crt', 'bundle.crt'].map((name) => readFile(join(whole.folder, 'bot', 'current', name))))
  const [host = '', port = ''] = whole.running.addresses.agents.split(':')
  return new Promise((resolve, reject) => {
    const call = request({ host, port: Number(port), method, path, headers, key, cert, ca, agent: false }, (answer) =>
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0)),
    )
    call.on('error', reject).end(body)
  })
}

test('no exported byte holds what stands in a path, a query, a header, a body, the name of a method or a tool, or a credential', async () => {
  await using receiver = await new OtlpReceiver().listen()
  await using whole = await wholeGateway()
  const rules = [
    { id: 'all', match: { upstream: 'api' }, then: 'permit' },
    { id: 'tools', match: { upstream: 'tools', action: 'known' }, then: 'permit' },
  ]
  const headers = { authorization: { secret: 'receiver', format: 'Bearer {secret}' } }
  const upstreams = {
    sealed: {
      protocol: 'http',
      url: `http://127.0.0.1:${whole.apiPort}`,
      addresses: { allow: ['127.0.0.1/32'] },
      credential: { secret: 'crm' },
      operations: [{ name: 'get_thing', method: 'GET', path: '/things/{id}' }],
    },
    tools: { protocol: 'mcp', url: `http://127.0.0.1:${whole.apiPort}/mcp`, addresses: { allow: ['127.0.0.1/32'] } },
  }
  await whole.configure([...rules, { id: 'sealed', match: { upstream: 'sealed' }, then: 'permit' }], [], '127.0.0.1:0', upstreams, {
    telemetry: {
      traces: { endpoint: `${receiver.url}/v1/traces`, headers, propagate: true },
      metrics: { endpoint: `${receiver.url}/v1/metrics`, headers },
    },
  })
  await whole.start()
  for (const [name, value] of [
    ['crm', credential],
    ['receiver', receiverKey],
  ])
    await whole.admin('secret.set', { name, value, person: 'alice' })
  await whole.enrolAgent()

  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const rpc = (method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const everywhere = { 'x-note': secret, authorization: `Bearer ${secret}`, cookie: secret, 'user-agent': secret, tracestate: `a=${secret}` }
  await call(whole, 'GET', `/http/api/things/${secret}?q=${secret}`, everywhere)
  await call(whole, 'POST', `/http/api/${secret}`, json, JSON.stringify({ [secret]: secret }))
  await call(whole, secret.toUpperCase(), '/http/api/things/1', {})
  await call(whole, 'GET', '/http/sealed/things/1', {})
  await call(whole, 'GET', `/http/${secret.toLowerCase()}/things`, {})
  await call(whole, 'GET', `/${secret}`, {})
  await call(whole, 'POST', '/mcp/tools', json, rpc('tools/call', { name: secret, arguments: { text: secret } }))
  await call(whole, 'POST', '/mcp/tools', json, rpc(secret, {}))
  await call(whole, 'GET', '/http/api/things/1', { traceparent: `00-${secret}` })
  assert.ok(
    whole.seen.some(({ authorization }) => authorization === `Bearer ${credential}`),
    'the calls were made',
  )
  await whole.stop()

  assert.ok(receiver.spans.length >= 9 && receiver.metrics.length > 0, 'the calls were told of')
  assert.ok(
    receiver.headers.every(({ authorization }) => authorization === `Bearer ${receiverKey}`),
    'the receiver has its own credential',
  )
  const exported = receiver.bodies.join('\n').toLowerCase()
  const spellings = [secret, credential, receiverKey].flatMap((text) => [
    text,
    ...(['base64', 'base64url', 'hex'] as const).map((form) => Buffer.from(text).toString(form)),
  ])
  for (const text of spellings) assert.ok(!exported.includes(text.toLowerCase()), text)
  assert.deepEqual(whole.faults, [])
})
