import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import test from 'node:test'
import { documentBytesMax } from '../../packages/gateway/src/control/login/client-documents.ts'
import { clientLoginGate } from '../fixtures/client-login.ts'

async function refused(gate: Awaited<ReturnType<typeof clientLoginGate>>, client_id: string): Promise<void> {
  const { status, location } = await gate.ask({ client_id })
  assert.deepEqual([status, location], [400, ''], client_id)
}

test('a client_id makes the gateway connect to no private, loopback or metadata address, and never without TLS', async (t) => {
  await using gate = await clientLoginGate({ clients: {} })
  let connections = 0
  const inside = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
    .listen(0, '127.0.0.1')
    .unref()
  t.after(() => inside.close())
  await once(inside, 'listening')
  const address = inside.address()
  const port = typeof address === 'object' && address ? address.port : 0
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254'])
    await refused(gate, `https://${host}:${port}/client.json`)
  for (const client_id of [
    `http://127.0.0.1:${port}/client.json`,
    gate.clientId,
    `https://user@127.0.0.1:${port}/client.json`,
    'file:///etc/passwd',
    'not-a-url',
    '',
  ])
    await refused(gate, client_id)
  assert.equal(connections, 0)
  assert.deepEqual(gate.fetched, [])
})

test('a document that redirects, is too large, is another program’s, holds a secret or is no JSON lets nobody in', async () => {
  await using gate = await clientLoginGate()
  const good = { redirect_uris: ['http://127.0.0.1/callback'] }
  await refused(
    gate,
    gate.document('/redirect.json', () => ({ status: 302, headers: { location: new URL(gate.clientId).pathname }, body: '' })),
  )
  assert.ok(!gate.fetched.includes('/client.json'), 'the redirect is not followed')
  await refused(
    gate,
    gate.document('/large.json', (client_id) => ({ body: JSON.stringify({ client_id, ...good, pad: 'x'.repeat(documentBytesMax) }) })),
  )
  await refused(
    gate,
    gate.document('/posing.json', () => ({ client_id: gate.clientId, ...good })),
  )
  await refused(
    gate,
    gate.document('/secret.json', (client_id) => ({ client_id, ...good, client_secret: 'x' })),
  )
  await refused(
    gate,
    gate.document('/basic.json', (client_id) => ({ client_id, ...good, token_endpoint_auth_method: 'client_secret_basic' })),
  )
  await refused(
    gate,
    gate.document('/page.json', (client_id) => ({ headers: { 'content-type': 'text/html' }, body: JSON.stringify({ client_id, ...good }) })),
  )
  await refused(
    gate,
    gate.document('/twice.json', (client_id) => ({
      body: `{"client_id":"x","client_id":${JSON.stringify(client_id)},"redirect_uris":["http://127.0.0.1/callback"]}`,
    })),
  )
  assert.equal((await gate.ask()).status, 302)
})

test('where the operator names hosts of programs, no other host is even asked', async () => {
  await using gate = await clientLoginGate({ clients: { hosts: ['claude.ai'], ca: 'documents.pem', addresses: { allow: ['127.0.0.1/32'] } } })
  await refused(gate, gate.clientId)
  assert.deepEqual(gate.fetched, [])
})
