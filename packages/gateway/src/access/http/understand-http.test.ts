import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreamName, type HttpUpstreamConfiguration } from '@sallyport/contract'
import { principalOf } from '../../../../../test/fixtures/access-request.ts'
import { inboundOf, type CallParts } from '../../../../../test/fixtures/http-forwarding.ts'
import type { AccessRequest } from '../access-request.ts'
import { compileHttpUpstream } from './compile-http-upstream.ts'
import { understandHttp } from './understand-http.ts'

const principal = await principalOf('acme', 'invoice-bot')
const name = parseUpstreamName('crm') ?? assert.fail()

async function understand(parts: CallParts, configuration: Partial<HttpUpstreamConfiguration> = {}) {
  const operations: HttpUpstreamConfiguration['operations'] = [
    { name: 'get_invoice', method: 'GET', path: '/invoices/{id}', lists: ['tag'] },
    { name: 'create_refund', method: 'POST', path: '/refunds' },
  ]
  const compiled = compileHttpUpstream(name, { protocol: 'http', url: 'https://crm.example', operations, ...configuration })
  assert.ok(compiled.kind === 'compiled')
  const inbound = inboundOf(parts)
  return understandHttp(compiled.upstream, principal, inbound, inbound, { judgedBodyBytesMax: 64 })
}

async function understood(parts: CallParts, configuration?: Partial<HttpUpstreamConfiguration>): Promise<AccessRequest> {
  const request = await understand(parts, configuration)
  return 'problem' in request ? assert.fail(request.reason) : request
}

async function code(parts: CallParts): Promise<string | undefined> {
  const request = await understand(parts)
  return 'problem' in request ? request.problem.code : undefined
}

const json = (value: string, type = 'application/json'): CallParts => ({ method: 'POST', path: '/refunds', headers: [['content-type', type]], body: value })

test('a call is named by its operation and carries its arguments', async () => {
  const request = await understood({ path: '/invoices/a%20b', query: 'full=yes&tag=1&tag=2' })
  assert.equal(request.action, 'get_invoice')
  assert.equal(request.resource, '/invoices/{id}')
  assert.deepEqual(request.args, { path: { id: 'a b' }, query: { full: 'yes', tag: ['1', '2'] } })
  assert.ok(request.call.kind === 'http')
  assert.equal(request.call.target, '/invoices/a%20b?full=yes&tag=1&tag=2')
})

test('a call that fits no operation is unlisted, under a guessed template', async () => {
  const request = await understood({ path: '/users/17/keys/0af7651916cd43dd/6f1c2f6e-8a39-4f0b-9a55-0a4a3a1f0f11/deadbeef/face' })
  assert.equal(request.action, 'unlisted')
  assert.equal(request.resource, '/users/{id}/keys/{id2}/{id3}/deadbeef/face')
  assert.deepEqual(request.args, { path: { id: '17', id2: '0af7651916cd43dd', id3: '6f1c2f6e-8a39-4f0b-9a55-0a4a3a1f0f11' }, query: {} })
})

test('what is forwarded is the judged value, written anew', async () => {
  const request = await understood(json('{ "amount" : 50.0, "note":"\\u0041" , "__proto__": 1 }', 'application/json; charset="UTF-8"'))
  assert.equal(request.action, 'create_refund')
  assert.ok(request.call.kind === 'http' && request.call.body instanceof Uint8Array)
  assert.equal(Buffer.from(request.call.body).toString(), '{"amount":50,"note":"A","__proto__":1}')
  assert.deepEqual(request.args, { path: {}, query: {}, body: JSON.parse('{"amount":50,"note":"A","__proto__":1}') })
})

test('every JSON media type is judged', async () => {
  for (const type of ['application/json', 'Application/JSON', 'text/json', 'application/vnd.api+json', 'application/merge-patch+json;v=1']) {
    const { args } = await understood(json('{"a":1}', type))
    assert.deepEqual(args, { path: {}, query: {}, body: { a: 1 } }, type)
  }
})

test('any other body passes unread', async () => {
  let isRead = false
  const body = {
    async *[Symbol.asyncIterator]() {
      isRead = true
      yield Buffer.from('a')
    },
  }
  const request = await understood({ method: 'POST', path: '/refunds', headers: [['content-type', 'application/octet-stream']], body })
  assert.deepEqual(request.args, { path: {}, query: {} })
  assert.equal(isRead, false)
})

test('a judged body loses the digests of what it was', async () => {
  const { headers } = json('{"a":1}')
  const request = await understood({
    ...json('{"a":1}'),
    headers: [...(headers ?? []), ['content-digest', 'sha-256=:x:'], ['content-md5', 'x'], ['content-language', 'de']],
  })
  assert.ok(request.call.kind === 'http')
  assert.deepEqual(request.call.headers, [
    ['content-type', 'application/json'],
    ['content-language', 'de'],
  ])
})

test('bodies that cannot be judged are refused', async () => {
  for (const body of ['{"a":1,"a":2}', '{"a":9007199254740993}', '{"a":1', '\ufeff{}', 'null x', '{"a":"\\ud800"}'])
    assert.equal(await code(json(body)), 'access.malformed', body)
  assert.equal(await code(json(`"${'x'.repeat(62)}"`)), undefined)
  assert.equal(await code(json(`"${'x'.repeat(63)}"`)), 'access.too-large')
  assert.equal(await code(json('{}', 'application/json; charset=utf-16')), 'access.unsupported-media')
  assert.equal(await code(json('{}', 'application/json; charset=utf-8; charset=utf-16')), 'access.unsupported-media')
  assert.equal(await code(json('{}', 'application/json, text/plain')), 'access.unsupported-media')
  assert.equal(
    await code({
      ...json('{}'),
      headers: [
        ['content-type', 'application/json'],
        ['content-encoding', 'gzip'],
      ],
    }),
    'access.unsupported-media',
  )
  assert.equal(
    await code({
      ...json('{}'),
      headers: [
        ['content-type', 'text/plain'],
        ['content-type', 'application/json'],
      ],
    }),
    'access.malformed',
  )
})

test('methods outside the closed set, and bodies where none belong, are refused', async () => {
  for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'get']) assert.equal(await code({ method }), 'access.method-not-allowed')
  for (const method of ['GET', 'HEAD']) assert.equal(await code({ method, body: 'x' }), 'access.malformed')
  assert.equal(await code({ method: 'GET', body: '' }), undefined)
})

test('an encoded slash passes only where the upstream allows it', async () => {
  assert.equal(await code({ path: '/invoices/a%2Fb' }), 'access.malformed')
  const request = await understood({ path: '/invoices/a%2Fb' }, { encodedSlashes: true })
  assert.deepEqual(request.args, { path: { id: 'a/b' }, query: {} })
})

test('a well-formed trace passes, the credential header does not', async () => {
  const trace = ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'] as const
  const request = await understood({ headers: [trace, ['tracestate', 'a=1'], ['x-api-key', 'own']] }, { credential: { secret: 'crm', header: 'x-api-key' } })
  assert.ok(request.call.kind === 'http')
  assert.deepEqual(request.call.headers, [trace, ['tracestate', 'a=1']])
})
