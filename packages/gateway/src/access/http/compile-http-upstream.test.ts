import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreamName, type HttpUpstreamConfiguration } from '@sallyport/contract'
import { compileHttpUpstream, type HttpUpstreamFault } from './compile-http-upstream.ts'

const name = parseUpstreamName('crm') ?? assert.fail()

function compile(configuration: Partial<HttpUpstreamConfiguration>, openapiText?: string) {
  return compileHttpUpstream(name, { protocol: 'http', url: 'https://crm.example', ...configuration }, openapiText)
}

function lines(configuration: Partial<HttpUpstreamConfiguration>, openapiText?: string): readonly string[] {
  const compiled = compile(configuration, openapiText)
  if (compiled.kind === 'invalid') return assert.fail(JSON.stringify(compiled.faults))
  return compiled.upstream.operations.map((operation) => `${operation.name}: ${operation.method} ${operation.path}`)
}

function faults(configuration: Partial<HttpUpstreamConfiguration>, openapiText?: string): readonly HttpUpstreamFault[] {
  const compiled = compile(configuration, openapiText)
  return compiled.kind === 'invalid' ? compiled.faults : []
}

test('two operations that cross are a fault at the second', () => {
  const [fault, ...more] = faults({
    operations: [
      { name: 'one', method: 'GET', path: '/a/{x}/c' },
      { name: 'two', method: 'GET', path: '/a/b/{y}' },
      { name: 'three', method: 'POST', path: '/a/b/{y}' },
    ],
  })
  assert.deepEqual(fault?.path, ['operations', 1])
  assert.match(fault?.message ?? '', /GET \/a\/\{x\}\/c and GET \/a\/b\/\{y\}/)
  assert.equal(more.length, 0)
})

const tenThousand = Array.from({ length: 10_000 }, (_, index) => index)

test('ten thousand operations are compared where they meet', () => {
  const paths = tenThousand.map((index) => (index % 2 === 0 ? `/v1/{tenant}/things${index}/{id}` : `/v1/{tenant}/parts${index}`))
  const operations = [...paths, '/v1/acme/{kind}'].map((path, index) => ({ name: `op${index}`, method: 'GET' as const, path }))
  assert.equal(faults({ operations }).length, 20)
  assert.deepEqual(faults({ operations: operations.slice(0, -1) }), [])
})

test('operations whose parameters share one place are not compared without end', () => {
  const operations = tenThousand.map((index) => ({ name: `op${index}`, method: 'GET' as const, path: `/v1/x${index}-{id}/parts` }))
  assert.match(faults({ operations })[0]?.message ?? '', /too many operations/)
})

test('a broken template, a repeated name and the reserved one are faults', () => {
  const found = faults({
    operations: [
      { name: 'one', method: 'GET', path: '/a/{x' },
      { name: 'two', method: 'GET', path: '/b' },
      { name: 'two', method: 'GET', path: '/c' },
      { name: 'unlisted', method: 'GET', path: '/d' },
    ],
  })
  assert.deepEqual(
    found.map(({ path }) => path),
    [
      ['operations', 0, 'path'],
      ['operations', 2],
      ['operations', 3, 'name'],
    ],
  )
})

test('headers that no configuration lets pass are faults', () => {
  const refused = ['authorization', 'cookie', 'connection', 'content-length', 'x-forwarded-for', 'proxy-authorization', 'sallyport-problem', 'x-key']
  const found = faults({ headers: ['x-request-id', ...refused], credential: { secret: 'crm', header: 'x-key' } })
  assert.deepEqual(
    found.map(({ path }) => path),
    refused.map((_, index) => ['headers', index + 1]),
  )
})

const document = `
openapi: 3.1.0
info: { title: CRM, version: "1" }
servers: [{ url: "https://{region}.crm.example/{base}/", variables: { region: { default: eu }, base: { default: v1 } } }]
paths:
  /invoices:
    get: { operationId: listInvoices }
    post: {}
    parameters: []
  /invoices/{id}:
    summary: one
    get: { operationId: "invoices/get one" }
    delete: { operationId: listInvoices }
    trace: { operationId: traced }
  /elsewhere: { $ref: "./other.yaml#/elsewhere" }
  /status:
    servers: [{ url: / }]
    get: { operationId: status }
  x-extra: {}
components: { schemas: {} }
`

test('OpenAPI operations come with their names and the server’s path', () => {
  assert.deepEqual(lines({}, document), [
    'listInvoices: GET /v1/invoices',
    'post_invoices: POST /v1/invoices',
    'invoices_get_one: GET /v1/invoices/{id}',
    'delete_invoices_id: DELETE /v1/invoices/{id}',
    'status: GET /status',
  ])
})

test('query parameters that are lists are imported, also where they are referred to', () => {
  const listed = {
    openapi: '3.1.0',
    paths: {
      '/a': {
        parameters: [{ $ref: '#/components/parameters/Tags' }, { name: 'once', in: 'query', schema: { type: 'string' } }],
        get: {
          parameters: [
            { name: 'ids[]', in: 'query', schema: { $ref: '#/components/schemas/Ids' } },
            { name: 'x', in: 'header', schema: { type: 'array' } },
          ],
        },
        put: { parameters: [{ name: 'joined', in: 'query', explode: false, schema: { type: 'array' } }, { $ref: './other.yaml#/x' }] },
      },
    },
    components: {
      parameters: { Tags: { name: 'tag', in: 'query', schema: { type: ['array', 'null'] } } },
      schemas: { Ids: { type: 'array', items: {} }, Anything: true },
    },
  }
  const compiled = compile({}, JSON.stringify(listed))
  assert.ok(compiled.kind === 'compiled')
  assert.deepEqual(
    compiled.upstream.operations.map(({ lists }) => [...lists]),
    [['tag', 'ids[]'], ['tag']],
  )
})

test('the path of the upstream’s own URL is not repeated', () => {
  assert.equal(lines({ url: 'https://crm.example/v1' }, document.replace('{base}/', 'v1/api/'))[0], 'listInvoices: GET /api/invoices')
  assert.equal(lines({ url: 'https://crm.example/v1/' }, document)[0], 'listInvoices: GET /invoices')
  assert.equal(lines({ url: 'https://crm.example/mounted' }, document)[0], 'listInvoices: GET /invoices')
})

test('an operation written by hand replaces the imported one', () => {
  const read = lines({ operations: [{ name: 'read_invoice', method: 'GET', path: '/v1/invoices/{number}' }] }, document)
  assert.ok(read.includes('read_invoice: GET /v1/invoices/{number}'))
  assert.ok(!read.some((line) => line.startsWith('invoices_get_one')))
})

test('JSON documents are read as well', () => {
  assert.deepEqual(lines({}, JSON.stringify({ openapi: '3.0.3', paths: { '/a/{b}': { put: {} } } })), ['put_a_b: PUT /a/{b}'])
})

const bomb = `openapi: 3.1.0\na: &a [x, x, x, x, x, x, x, x, x, x]\n${[...'bcdefg'].map((letter, index) => `${letter}: &${letter} [${Array(10).fill(`*${'abcdef'[index]}`).join(', ')}]`).join('\n')}\npaths: {}\n`

for (const [what, text] of Object.entries({
  'Swagger 2': 'swagger: "2.0"\npaths: {}',
  'no document': '- 1\n- 2',
  'broken YAML': 'openapi: 3.1.0\npaths: {',
  'a repeated path': 'openapi: 3.1.0\npaths:\n  /a: { get: {} }\n  /a: { put: {} }\n',
  'an alias bomb': bomb,
  'a file too large': `openapi: 3.1.0\n#${'x'.repeat(16_777_216)}\npaths: {}`,
})) {
  test(`${what} is a fault at openapi`, () => {
    const [fault] = faults({}, text)
    assert.deepEqual(fault?.path, ['openapi'])
  })
}
