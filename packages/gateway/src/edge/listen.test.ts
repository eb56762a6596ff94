import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import { answerOk, get, openGate, post, type EdgeGate } from '../../../../test/fixtures/edge-gate.ts'
import type { Answer, Inbound } from './inbound.ts'

const nothing = new Uint8Array(0)

async function readBody(inbound: Inbound): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of inbound.body?.read() ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function echo(inbound: Inbound): Promise<Answer> {
  return { status: 200, headers: [], body: await readBody(inbound) }
}

/** A peer that did not grow up with our parser: node:https. */
async function fetchAs(gate: EdgeGate, method: string, body: Buffer | undefined): Promise<{ status: number | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { certificatePem, keyPem, ...rest } = { ...gate.agent, ca: gate.authority.rootPem }
    const options = {
      host: '127.0.0.1',
      servername: 'localhost',
      port: gate.edge.address.port,
      method,
      path: '/a?b=c',
      cert: certificatePem,
      key: keyPem,
      agent: false,
      ...rest,
    }
    const outgoing = httpsRequest(options, (incoming) => {
      const pieces: Buffer[] = []
      incoming.on('data', (piece: Buffer) => pieces.push(piece))
      incoming.on('end', () => resolve({ status: incoming.statusCode, body: Buffer.concat(pieces) }))
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

test('the handler sees the request, who sent it and who vouches for it', async () => {
  const gate = await openGate()
  const caller = await gate.connect()
  caller.send('GET /a/b?c=d HTTP/1.1\r\nHost: gateway.test\r\nX-One: two\r\nConnection: close\r\n\r\n')
  assert.match(await caller.rest(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello$/)
  const [inbound] = gate.handled
  assert.ok(inbound)
  const { method, path, query, headers, body, connection, signal } = inbound
  assert.deepEqual({ method, path, query, body }, { method: 'GET', path: '/a/b', query: 'c=d', body: undefined })
  assert.deepEqual(headers, [
    ['host', 'gateway.test'],
    ['x-one', 'two'],
    ['connection', 'close'],
  ])
  assert.equal(signal.aborted, false, 'an answered request was not abandoned')
  assert.deepEqual(Buffer.from(connection.certificate), new X509Certificate(gate.agent.certificatePem).raw)
  const root = new X509Certificate(gate.authority.rootPem).fingerprint256.replaceAll(':', '')
  assert.deepEqual(connection.issuers, [Buffer.from(root, 'hex').toString('base64url')])
  assert.equal(connection.remoteAddress, '127.0.0.1')
})

test('bodies of every size pass both ways, with a length and in chunks, to a client that is not ours', async () => {
  async function* piecesOf(body: Buffer) {
    for (let offset = 0; offset < body.length; offset += 100_000) yield body.subarray(offset, offset + 100_000)
  }
  const whole = await openGate({ handle: echo })
  const streamed = await openGate({ handle: async (inbound) => ({ status: 200, headers: [], body: piecesOf(await readBody(inbound)) }) })
  for (const gate of [whole, streamed]) {
    for (const size of [0, 1, 1000, 65_536, 65_537, 3_000_000]) {
      const body = Buffer.alloc(size, 'abcdefg')
      const answer = await fetchAs(gate, 'POST', body)
      assert.equal(answer.status, 200)
      assert.ok(answer.body.equals(body), `${size} bytes came back`)
    }
  }
})

test('a body passes through while it is still arriving', async () => {
  async function* relay(inbound: Inbound) {
    for await (const piece of inbound.body?.read() ?? []) yield piece
  }
  const gate = await openGate({ handle: (inbound) => Promise.resolve({ status: 200, headers: [], body: relay(inbound) }) })
  const caller = await gate.connect()
  caller.send(post(['transfer-encoding: chunked'], '3\r\none\r\n'))
  await caller.receive((received) => received.endsWith('3\r\none\r\n'))
  caller.send('3\r\ntwo\r\n0\r\n\r\n')
  assert.match(await caller.rest(), /3\r\ntwo\r\n0\r\n\r\n$/)
})

test('a slow handler holds the socket: what is not read is not taken', async () => {
  const release = Promise.withResolvers<void>()
  const size = 32 * 1024 * 1024
  const handle = async (inbound: Inbound) => {
    if (inbound.body) await release.promise
    return echo(inbound)
  }
  const gate = await openGate({ limits: { bodyBytes: size }, handle })
  const caller = await gate.connect()
  caller.send(post([`content-length: ${size}`, 'connection: close']))
  for (let sent = 0; sent < size; sent += 65_536) caller.socket.write(Buffer.alloc(65_536))
  await gate.asked(1)

  const other = await gate.connect() // its round trips are the time in which an unbounded reader would take everything
  for (let count = 1; count <= 200; count++) {
    other.send(get())
    await other.receive((received) => received.split('HTTP/1.1 200 ').length > count)
  }
  assert.ok(caller.socket.writableLength > size / 2, 'most of it waits with the caller')
  release.resolve()
  const answer = await caller.rest()
  assert.equal(answer.length - answer.indexOf('\r\n\r\n') - 4, size)
})

test('a caller that expects 100 Continue is told to go on when the body is first read, and only then', async () => {
  const gate = await openGate({ handle: async (inbound) => (inbound.path === '/unread' ? answerOk : echo(inbound)) })
  const caller = await gate.connect()
  caller.send(post(['expect: 100-continue', 'content-length: 5']))
  await caller.receive((received) => received === 'HTTP/1.1 100 Continue\r\n\r\n')
  caller.send('howdy')
  await caller.receive((received) => received.endsWith('howdy'))

  const refused = await gate.connect()
  refused.send('POST /unread HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n')
  assert.match(await refused.rest(), /^HTTP\/1\.1 200 [^]*connection: close/)
})

test('HEAD, 204 and 304 have no body, whatever the handler gives', async () => {
  let isEnded = false
  async function* body() {
    try {
      yield Buffer.from('x')
    } finally {
      isEnded = true
    }
  }
  const answers: Record<string, Answer> = {
    '/whole': answerOk,
    '/streamed': { status: 200, headers: [], body: body() },
    '/204': { status: 204, headers: [], body: nothing },
    '/304': { status: 304, headers: [['etag', '"a"']], body: nothing },
  }
  const gate = await openGate({ handle: ({ path }) => Promise.resolve(answers[path] ?? answerOk) })
  const caller = await gate.connect()
  caller.send('HEAD /whole HTTP/1.1\r\nhost: x\r\n\r\nHEAD /streamed HTTP/1.1\r\nhost: x\r\n\r\nGET /204 HTTP/1.1\r\nhost: x\r\n\r\n')
  caller.send('GET /304 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const keep = 'connection: keep-alive\r\nkeep-alive: timeout=75\r\n\r\n'
  assert.equal(
    await caller.rest(),
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n${keep}HTTP/1.1 200 OK\r\n${keep}HTTP/1.1 204 No Content\r\n${keep}` +
      'HTTP/1.1 304 Not Modified\r\netag: "a"\r\nconnection: close\r\n\r\n',
  )
  assert.equal(isEnded, false, 'a source that never began has nothing to end')
})

test('a body whose length is known is announced and goes out as it is', async () => {
  async function* body() {
    yield Buffer.from('one')
    yield Buffer.from('two')
  }
  const gate = await openGate({ handle: () => Promise.resolve({ status: 200, headers: [], body: body(), bodyBytes: 6 }) })
  const caller = await gate.connect()
  caller.send(get('connection: close'))
  assert.equal(await caller.rest(), 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nonetwo')
})

test('a body that breaks leaves the answer without its end', async () => {
  const broken = new Error('the upstream broke')
  async function* body() {
    yield Buffer.from('partial')
    throw broken
  }
  const gate = await openGate({ handle: () => Promise.resolve({ status: 200, headers: [], body: body() }) })
  const caller = await gate.connect()
  caller.send(get())
  const answer = await caller.rest()
  assert.match(answer, /7\r\npartial\r\n$/)
  const event = await gate.seen(({ kind }) => kind === 'request-failed')
  assert.ok(event.kind === 'request-failed' && event.error === broken)
})

test('a caller that goes away aborts its request and ends its answer', async () => {
  const aborted = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  async function* body(inbound: Inbound) {
    try {
      inbound.signal.addEventListener('abort', () => aborted.resolve(), { once: true })
      yield Buffer.from('first')
      await aborted.promise
    } finally {
      ended.resolve()
    }
  }
  const gate = await openGate({ handle: (inbound) => Promise.resolve({ status: 200, headers: [], body: body(inbound) }) })
  const caller = await gate.connect()
  caller.send(get())
  await caller.receive((received) => received.includes('first'))
  caller.socket.destroy()
  await ended.promise
  assert.equal(gate.handled[0]?.signal.aborted, true)
  assert.ok(!gate.events.some(({ kind }) => kind === 'request-failed'))
})

test('a caller that goes away within its body breaks it', async () => {
  const read = Promise.withResolvers<unknown>()
  const gate = await openGate({
    handle: async (inbound) => {
      read.resolve(await readBody(inbound).catch((error: unknown) => error))
      return answerOk
    },
  })
  const caller = await gate.connect()
  caller.send(post(['content-length: 10'], 'half'))
  await gate.asked(1)
  caller.socket.end()
  assert.match(String(await read.promise), /BodyError: the connection ended within the body/)
})

test('a reader that outlives the answer is told that the rest will not come', async () => {
  const read = Promise.withResolvers<unknown>()
  const handle = (inbound: Inbound) => {
    readBody(inbound).then(read.resolve, read.resolve)
    return Promise.resolve(answerOk)
  }
  const gate = await openGate({ handle })
  const caller = await gate.connect()
  caller.send(post(['content-length: 1000000'], 'half'))
  assert.match(await caller.rest(), /^HTTP\/1\.1 200 [^]*connection: close/)
  assert.match(String(await read.promise), /BodyError/)
})

test('a handler that throws is answered as a fault, without its message', async () => {
  const gate = await openGate({ handle: () => Promise.reject(new Error('secret')) })
  const caller = await gate.connect()
  caller.send(get('connection: close'))
  const answer = await caller.rest()
  assert.match(answer, /^HTTP\/1\.1 500 [^]*gateway\.fault/)
  assert.ok(gate.handled[0] && answer.includes(gate.handled[0].id) && !answer.includes('secret'))
  await gate.seen((event) => event.kind === 'request-failed' && event.error instanceof Error)
})

test('the enrolment listener takes callers without a certificate, with the same strictness', async () => {
  const gate = await openGate({ clientCertificates: 'none' })
  const caller = await gate.connect({ cert: undefined, key: undefined })
  caller.send(get('connection: close'))
  assert.match(await caller.rest(), /^HTTP\/1\.1 200 /)
  assert.deepEqual(gate.handled[0]?.connection, { certificate: new Uint8Array(0), issuers: [], remoteAddress: '127.0.0.1' })

  const strict = await gate.connect({ cert: undefined, key: undefined })
  strict.send(get('a_b: c'))
  assert.match(await strict.rest(), /^HTTP\/1\.1 400 /)
})

test('a taken port is an error with its code', async () => {
  const gate = await openGate()
  await assert.rejects(openGate({ port: gate.edge.address.port }), { code: 'EADDRINUSE' })
})

test('unusable credentials leave the ones in use', async () => {
  const gate = await openGate()
  assert.throws(() => gate.edge.replaceTls({ ...gate.tls, keyPem: 'not a key' }))
  const caller = await gate.connect()
  caller.send(get('connection: close'))
  assert.match(await caller.rest(), /^HTTP\/1\.1 200 /)
})
