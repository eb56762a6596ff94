import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { enrolledFolder, linkTo, readAll, realClock, startPeer, type Handler, type Peer } from '../../../../test/fixtures/mtls-echo.ts'
import { conversationLimits } from './conversation.ts'
import { runStdioBridge, stdioLimits } from './stdio.ts'

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }

interface Stand {
  readonly peer: Peer
  readonly ended: Promise<void>
  readonly stop: AbortController
  readonly errors: string[]
  say(...messages: (object | string)[]): void
  /** The next message for the client, or undefined at the end. */
  hear(): Promise<Record<string, unknown> | undefined>
  closeInput(): void
}

async function start(t: TestContext, handler: Handler): Promise<Stand> {
  const peer = await startPeer(t, handler)
  const link = await linkTo(t, await enrolledFolder(t, peer))
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const stop = new AbortController()
  const errors: string[] = []
  stderr.on('data', (text) => errors.push(String(text)))
  const ended = runStdioBridge({ link, upstream: 'everything', stdin, stdout, stderr, clock: realClock, stop: stop.signal, newId: randomUUID })
  void ended.finally(() => stdout.end())
  t.after(() => stop.abort())
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    peer,
    ended,
    stop,
    errors,
    say: (...messages) => {
      for (const message of messages) stdin.write(`${typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
    },
    hear: async () => {
      const { value, done } = await lines.next()
      return done === true ? undefined : JSON.parse(value)
    },
    closeInput: () => stdin.end(),
  }
}

/** Answers each JSON-RPC request with what `result` says. */
function answering(result: (message: Record<string, unknown>) => object | undefined): Handler {
  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return false
    void readAll(incoming).then((text) => {
      const message = JSON.parse(text)
      const value = result(message)
      if (value === undefined) return
      if (message.id === undefined) return void outgoing.writeHead(202).end()
      outgoing
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: value }))
    })
    return true
  }
}

test('what is no message is answered as such, and the conversation goes on', async (t) => {
  const { say, hear } = await start(
    t,
    answering(() => ({ ok: true })),
  )
  say('not json', '[]', { id: {}, method: 'ping' }, `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, 'x'.repeat(stdioLimits.messageBytesMax + 1))
  const codes = []
  for (let count = 0; count < 5; count++) {
    const { id, error } = (await hear()) ?? {}
    assert.equal(id, null)
    assert.ok(typeof error === 'object' && error !== null && 'code' in error)
    codes.push(error.code)
  }
  assert.deepEqual(codes, [-32700, -32600, -32600, -32700, -32600])
  say({ id: 1, method: 'ping' })
  assert.deepEqual(await hear(), { jsonrpc: '2.0', id: 1, result: { ok: true } })
})

test('the text of a message goes on as the client wrote it', async (t) => {
  const text = '{ "id":1.0 ,"jsonrpc":"2.0","params":{"n":1e2,"u":"\\u00e4"},"method":"ping"}'
  const bodies: string[] = []
  const { say, hear } = await start(t, (incoming, outgoing) => {
    void readAll(incoming).then((body) => {
      bodies.push(body)
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}')
    })
    return true
  })
  say(text)
  await hear()
  assert.deepEqual(bodies, [text])
})

test('a stream that ended early is taken up from its last event', async (t) => {
  const gets: (string | undefined)[] = []
  const { say, hear } = await start(t, (incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    if (incoming.method === 'POST') {
      outgoing.end('id: 1\nretry: 1\ndata:\n\n')
      return true
    }
    gets.push(incoming.headers['last-event-id']?.toString())
    const next =
      gets.length === 1 ? 'id: 2\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n' : 'id: 3\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
    outgoing.end(next)
    return true
  })
  say({ id: 1, method: 'tools/call', params: { name: 'x' } })
  assert.equal((await hear())?.['method'], 'notifications/message')
  assert.deepEqual(await hear(), { jsonrpc: '2.0', id: 1, result: {} })
  assert.deepEqual(gets, ['1', '2'])
})

test('a request whose stream brings no answer gets an error that does not call it undone', async (t) => {
  const { say, hear } = await start(t, (incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"jsonrpc":"2.0","id":99,"result":{}}\n\n')
    return true
  })
  say({ id: 1, method: 'tools/call', params: { name: 'x' } })
  assert.equal((await hear())?.['id'], 99)
  const { id, error } = (await hear()) ?? {}
  assert.equal(id, 1)
  assert.match(JSON.stringify(error), /forward\.upstream-failed.*may have taken effect/)
})

test('answers still come after the client has closed its side', async (t) => {
  const { say, hear, closeInput, ended } = await start(
    t,
    answering(() => ({ ok: true })),
  )
  say({ id: 1, method: 'ping' }, { id: 2, method: 'ping' })
  closeInput()
  assert.deepEqual(new Set([(await hear())?.['id'], (await hear())?.['id']]), new Set([1, 2]))
  await ended
  assert.equal(await hear(), undefined)
})

test('asked to stop, it cuts what is under way and ends the session', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const cut = Promise.withResolvers<void>()
  const deleted: (string | undefined)[] = []
  const answer = answering((message) => (message['method'] === 'tools/call' ? void arrived.resolve() : { protocolVersion: '2025-11-25' }))
  const { say, hear, stop, ended } = await start(t, (incoming, outgoing) => {
    outgoing.once('close', () => outgoing.writableEnded || cut.resolve())
    if (incoming.method !== 'DELETE') return answer(incoming, outgoing)
    deleted.push(incoming.headers['mcp-session-id']?.toString())
    outgoing.writeHead(200).end()
    return true
  })
  say({ id: 1, method: 'initialize', params: {} })
  await hear()
  say({ id: 2, method: 'tools/call', params: { name: 'slow' } })
  await arrived.promise
  stop.abort()
  await ended
  await cut.promise
  assert.deepEqual(deleted, ['s1'])
  assert.equal(await hear(), undefined)
})

test('2025-11-25 tells the server of a cancel before it lets go; 2026-07-28 just closes the stream', async (t) => {
  const told: unknown[] = []
  const closed: Record<string, PromiseWithResolvers<void>> = { old: Promise.withResolvers(), new: Promise.withResolvers() }
  const arrived: Record<string, PromiseWithResolvers<void>> = { old: Promise.withResolvers(), new: Promise.withResolvers() }
  const { say, hear } = await start(t, (incoming, outgoing) => {
    void readAll(incoming).then((text) => {
      const { id, params } = JSON.parse(text)
      if (id === undefined) {
        told.push(params.requestId)
        outgoing.writeHead(202).end()
      } else if (id === 'last') {
        outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
      } else {
        arrived[id]?.resolve()
        outgoing.once('close', () => closed[id]?.resolve())
      }
    })
    return true
  })
  say({ id: 'old', method: 'tools/call', params: { name: 'a' } }, { id: 'new', method: 'tools/call', params: { name: 'a', _meta: meta } })
  await Promise.all([arrived['old']?.promise, arrived['new']?.promise])
  for (const requestId of ['new', 'old']) say({ method: 'notifications/cancelled', params: { requestId } })
  await Promise.all([closed['old']?.promise, closed['new']?.promise])
  assert.deepEqual(told, ['old'])
  say({ id: 'last', method: 'ping' })
  assert.equal((await hear())?.['id'], 'last', 'a cancelled request is not answered')
})

test('requests beyond the limit are refused at once, and an id under way is not used twice', async (t) => {
  const { say, hear, errors } = await start(t, (incoming) => {
    incoming.resume()
    return true
  })
  for (let id = 0; id < conversationLimits.requestsMax; id++) say({ id, method: 'tools/call', params: { name: 'x' } })
  say({ id: 3, method: 'ping' }, { id: 'one too many', method: 'ping' })
  const { id, error } = (await hear()) ?? {}
  assert.equal(id, 'one too many')
  assert.match(JSON.stringify(error), /edge\.overloaded/)
  assert.match(errors.join(''), /id 3 is already under way/)
})

test('a notification that is refused is told on standard error only', async (t) => {
  const { say, hear, errors } = await start(t, (incoming, outgoing) => {
    void readAll(incoming).then((text) => {
      const { id } = JSON.parse(text)
      if (id !== undefined) return void outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
      outgoing.writeHead(400, { 'content-type': 'text/plain' }).end('no')
    })
    return true
  })
  say({ method: 'notifications/odd' }, { id: 1, method: 'ping' })
  assert.equal((await hear())?.['id'], 1)
  assert.match(errors.join(''), /status 400/)
})
