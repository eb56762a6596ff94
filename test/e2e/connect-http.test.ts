import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { readAll, startBridge } from '../fixtures/mtls-echo.ts'

test('events come one by one, and a client that goes away ends the exchange at the gateway', async (t) => {
  const next = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const { bridge, secret } = await startBridge(t, {
    handler: (incoming, outgoing) => {
      if (incoming.url !== '/mcp/everything') return false
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      outgoing.once('close', gone.resolve)
      outgoing.write('data: 1\n\n')
      void next.promise.then(() => outgoing.write('data: 2\n\n'))
      return true
    },
  })
  const outgoing = request({ port: bridge.port, path: '/mcp/everything', headers: { authorization: `Bearer ${secret}`, accept: 'text/event-stream' } }).end()
  outgoing.on('error', () => {})
  const [incoming] = await once(outgoing, 'response')
  incoming.on('error', () => {})
  assert.equal(String((await once(incoming, 'data'))[0]), 'data: 1\n\n')
  next.resolve()
  assert.equal(String((await once(incoming, 'data'))[0]), 'data: 2\n\n')
  outgoing.destroy()
  await gone.promise
})

test('a body goes through piece by piece, in both directions, unchanged', async (t) => {
  const { bridge, secret } = await startBridge(t, {
    handler: (incoming, outgoing) => {
      if (incoming.url !== '/http/crm/upload') return false
      outgoing.writeHead(
        201,
        [
          ['x-twice', '1'],
          ['x-twice', '2'],
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ].flat(),
      )
      incoming.pipe(outgoing)
      return true
    },
  })
  const outgoing = request({
    port: bridge.port,
    method: 'PUT',
    path: '/http/crm/upload',
    headers: { authorization: `Bearer ${secret}`, 'transfer-encoding': 'chunked' },
  })
  outgoing.write('first')
  const [incoming] = await once(outgoing, 'response')
  assert.equal(incoming.statusCode, 201)
  assert.deepEqual(incoming.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(incoming.headers['x-twice'], '1, 2')
  assert.equal(String((await once(incoming, 'data'))[0]), 'first')
  const big = Buffer.alloc(3_000_000, 'x')
  outgoing.end(big)
  assert.equal((await readAll(incoming)).length, big.length)
})

test('the call is on the wire as the client made it', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const headers = { 'x-sallyport-secret': secret, 'content-type': 'application/json', 'X-Mixed': 'kept', accept: '*/*' }
  const answer = await ask(bridge.port, { method: 'POST', path: '/http/crm/invoices?a=1&a=2&b=%2F', headers, body: '{"n":1}' })
  assert.equal(answer.status, 200)
  const call = peer.received.at(-1)
  assert.deepEqual([call?.method, call?.target, call?.body], ['POST', '/http/crm/invoices?a=1&a=2&b=%2F', '{"n":1}'])
  assert.equal(call?.headers['x-mixed'], 'kept')
  assert.equal(call?.headers['host'], `127.0.0.1:${peer.port}`)
  assert.equal(call?.headers['content-length'], '7')
  for (const path of ['/http/crm/x', '/mcp']) {
    for (const method of ['DELETE', 'HEAD', 'OPTIONS']) assert.equal((await ask(bridge.port, { method, path, headers })).status, 200, method)
  }
})

test('a gateway that is away is a problem that says what to do', async (t) => {
  const { bridge, peer, secret, reported } = await startBridge(t)
  peer.server.close()
  peer.server.closeAllConnections()
  const answer = await ask(bridge.port, {
    method: 'POST',
    path: '/http/crm/invoices',
    headers: { authorization: `Bearer ${secret}` },
    body: 'x'.repeat(100_000),
  })
  assert.equal(answer.status, 502)
  assert.equal(answer.json?.['code'], 'connect.gateway-unreachable')
  assert.match(String(answer.json?.['detail']), /start the gateway.*no effect/)
  assert.deepEqual(reported, [])
})

test('an exchange that the gateway cuts is not reported as undone', async (t) => {
  const { bridge, secret } = await startBridge(t, {
    handler: (incoming) => {
      incoming.once('end', () => incoming.socket.destroy()).resume()
      return true
    },
  })
  const answer = await ask(bridge.port, { method: 'POST', path: '/http/crm/invoices', headers: { authorization: `Bearer ${secret}` }, body: '{}' })
  assert.equal(answer.status, 502)
  assert.match(String(answer.json?.['detail']), /may have taken effect/)
})
