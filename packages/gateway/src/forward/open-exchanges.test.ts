import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { Fault, parseUpstreamName } from '@sallyport/contract'
import { makeAuthority, serverNames, type Credentials } from '../../../../test/fixtures/edge-pki.ts'
import { definitionOf, HttpForwarding, loopbackAllowed, readBody } from '../../../../test/fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../../../../test/fixtures/raw-upstream.ts'
import { BodyError } from '../edge/inbound.ts'
import { compileUpstreamDefinition } from './upstream-definition.ts'

const authority = await makeAuthority()
const stranger = await makeAuthority('Another Root')
const name = parseUpstreamName('crm') ?? assert.fail()

async function withTlsUpstream(certificate: Credentials, work: (port: number, callers: string[]) => Promise<void>, maxVersion?: 'TLSv1.2'): Promise<void> {
  const callers: string[] = []
  const server: Server = createServer(
    {
      cert: certificate.certificatePem,
      key: certificate.keyPem,
      ca: authority.rootPem,
      requestCert: true,
      rejectUnauthorized: false,
      ...(maxVersion && { maxVersion }),
    },
    (request, response) => {
      callers.push(request.socket instanceof TLSSocket && request.socket.authorized ? 'known' : 'unknown')
      response.end('over TLS')
    },
  )
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  try {
    await work(typeof address === 'object' && address ? address.port : 0, callers)
  } finally {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
}

const resolve = async (): Promise<readonly string[]> => ['127.0.0.1']

test('an upstream over TLS is checked against its own CA, by the name in its URL', async () => {
  await withTlsUpstream(await authority.issue({ names: serverNames, usage: 'server' }), async (port, callers) => {
    const tls = { ca: 'ca.pem' }
    await using forwarding = new HttpForwarding({ url: `https://localhost:${port}`, ...loopbackAllowed, tls }, { resolve, files: { ca: authority.rootPem } })
    assert.equal((await forwarding.call()).body, 'over TLS')
    await using byAddress = new HttpForwarding({ url: `https://127.0.0.1:${port}`, ...loopbackAllowed, tls }, { files: { ca: authority.rootPem } })
    assert.equal((await byAddress.call()).body, 'over TLS')
    assert.deepEqual(callers, ['unknown', 'unknown'])
  })
})

test('an upstream with another name, or of another CA, gets nothing', async () => {
  await withTlsUpstream(await authority.issue({ names: serverNames, usage: 'server' }), async (port, callers) => {
    const tls = { ca: 'ca.pem' }
    for (const [host, ca] of [
      ['crm.example', authority.rootPem],
      ['localhost', stranger.rootPem],
    ] as const) {
      await using forwarding = new HttpForwarding({ url: `https://${host}:${port}`, ...loopbackAllowed, tls }, { resolve, files: { ca } })
      const forwarded = await forwarding.begin()
      assert.ok(forwarded.kind === 'refused')
      assert.equal(forwarded.problem.code, 'forward.upstream-failed')
      assert.match(forwarded.problem.detail ?? '', /Nothing was sent/)
    }
    await using renamed = new HttpForwarding(
      { url: `https://crm.example:${port}`, ...loopbackAllowed, tls: { ...tls, serverName: 'localhost' } },
      { resolve, files: { ca: authority.rootPem } },
    )
    assert.equal((await renamed.call()).status, 200)
    assert.equal(callers.length, 1)
  })
})

test('the gateway shows its certificate to an upstream that wants one', async () => {
  const own = await authority.issue()
  await withTlsUpstream(
    await authority.issue({ names: serverNames, usage: 'server' }),
    async (port, callers) => {
      const files = { ca: authority.rootPem, certificate: own.certificatePem, key: own.keyPem }
      const tls = { ca: 'ca.pem', certificate: 'own.pem', key: 'own.key' }
      await using forwarding = new HttpForwarding({ url: `https://localhost:${port}`, ...loopbackAllowed, tls }, { resolve, files })
      assert.equal((await forwarding.call()).status, 200)
      assert.deepEqual(callers, ['known'])
    },
    'TLSv1.2',
  )
})

test('certificates that do not load are faults', () => {
  const faultsAt = (
    tls: { ca?: string; certificate?: string; key?: string },
    files: { ca?: string; certificate?: string; key?: string },
    url = 'https://crm.example',
  ) => {
    const compiled = compileUpstreamDefinition(name, { url, tls }, files)
    return compiled.kind === 'invalid' ? compiled.faults.map(({ path }) => path.join('.')) : []
  }
  assert.deepEqual(faultsAt({ certificate: 'a', key: 'b' }, { certificate: 'no PEM', key: 'no PEM' }), ['tls.certificate'])
  assert.deepEqual(faultsAt({ certificate: 'a' }, {}), ['tls'])
  assert.deepEqual(faultsAt({ ca: 'a' }, { ca: authority.rootPem }, 'http://crm.example'), ['tls'])
  assert.deepEqual(faultsAt({ ca: 'a' }, { ca: authority.rootPem }), [])
})

test('URLs that say more than where the upstream is are faults', () => {
  for (const url of [
    'https://user:pass@crm.example',
    'https://crm.example/?a=b',
    'https://crm.example/#a',
    'https://crm.example/a%2Fb',
    'https://crm.example//a',
    'ftp://crm.example',
  ]) {
    assert.equal(compileUpstreamDefinition(name, { url }).kind, 'invalid', url)
  }
  assert.equal(compileUpstreamDefinition(name, { url: 'https://crm.example', addresses: { allow: ['10.0.0.1/8'] } }).kind, 'invalid')
  assert.equal(compileUpstreamDefinition(name, { url: 'https://crm.example', addresses: { pin: ['224.0.0.1'] } }).kind, 'invalid')
  assert.equal(compileUpstreamDefinition(name, { url: 'https://crm.example', addresses: { pin: ['10.0.0.1'] } }).kind, 'compiled')
})

test('the base URL’s path goes before the target', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  for (const [base, line] of [
    ['/api/v1', 'GET /api/v1/things?a=1 HTTP/1.1'],
    ['/api/', 'GET /api/things?a=1 HTTP/1.1'],
    ['', 'GET /things?a=1 HTTP/1.1'],
  ] as const) {
    await using forwarding = new HttpForwarding({ url: `${upstream.url}${base}`, ...loopbackAllowed })
    await forwarding.call({ query: 'a=1' })
    assert.equal(upstream.requests.at(-1)?.split('\r\n')[0], line)
  }
})

test('a reload keeps the connections of what did not change, and lets a removed upstream finish', async () => {
  let finish = (): void => {}
  await using upstream = await RawUpstream.start((socket, request) => {
    if (!request.startsWith('GET /slow')) return void socket.write(answerText('fine'))
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf')
    finish = () => void socket.write('half')
  })
  const configuration = { url: upstream.url, ...loopbackAllowed, connections: 1 }
  await using forwarding = new HttpForwarding(configuration, { limits: { drainMs: 5000 } })
  await forwarding.call()
  forwarding.exchanges.replace([definitionOf(configuration)])
  await forwarding.call()
  assert.equal(upstream.connections, 1)

  const slow = await forwarding.begin({ path: '/slow' })
  assert.ok(slow.kind === 'answer')
  forwarding.exchanges.replace([])
  assert.equal((await forwarding.call()).code, 'forward.upstream-failed')
  finish()
  assert.deepEqual(await readBody(slow.answer), { body: 'halfhalf', broken: undefined })
})

test('closing cuts what does not finish in time', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf'))
  const forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed }, { limits: { drainMs: 10 } })
  const slow = await forwarding.begin()
  assert.ok(slow.kind === 'answer')
  const closed = upstream.connectionClosed()
  await forwarding.exchanges.close()
  assert.ok((await readBody(slow.answer)).broken instanceof Fault)
  assert.equal((await slow.finished).result, 'failed')
  await closed
})

test('a body that fails on its way in ends the call with its own code', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const closed = upstream.connectionClosed()
  const seen = await forwarding.call({ method: 'POST', body: breaking() })
  assert.equal(seen.code, 'edge.timeout')
  assert.deepEqual(seen.facts, { result: 'failed', code: 'edge.timeout', requestBytes: 5 })
  await closed
  assert.equal(upstream.requests.length, 0)
})

test('an answer that comes before the whole body passes, and a body that then fails harms nobody', async () => {
  const server = createTcpServer((socket) => void socket.once('data', () => socket.write(answerText('too early'))).on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const answered = Promise.withResolvers<void>()
  const isReleased = Promise.withResolvers<void>()
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('begun')
      await answered.promise
      throw new BodyError('edge.timeout', 'the body stopped')
    } finally {
      isReleased.resolve()
    }
  }
  await using forwarding = new HttpForwarding({ url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, ...loopbackAllowed })
  const seen = await forwarding.call({ method: 'POST', body: body() })
  assert.deepEqual([seen.status, seen.body], [200, 'too early'])
  answered.resolve()
  await isReleased.promise
  await new Promise(setImmediate)
  server.close()
})

test('bytes are counted in both directions', async () => {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  const seen = await forwarding.call({ method: 'POST', headers: [['content-type', 'text/plain']], body: 'all at once' })
  assert.deepEqual(seen.facts, { result: 'answered', status: 200, requestBytes: 11, answerBytes: 4 })
})

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('begun')
  throw new BodyError('edge.timeout', 'the body stopped')
}
