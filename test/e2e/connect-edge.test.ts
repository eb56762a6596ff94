import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Answer, Inbound } from '../../packages/gateway/src/edge/inbound.ts'
import { openBridge } from '../../packages/runtime/src/connect/bridge.ts'
import { readOrCreateSecret } from '../../packages/runtime/src/connect/client-secret.ts'
import { readBytes } from '../../packages/runtime/src/link/read-answer.ts'
import { ask } from '../fixtures/ask-bridge.ts'
import { openGate } from '../fixtures/edge-gate.ts'
import { catalog, enrolledFolder, linkTo, realClock } from '../fixtures/mtls-echo.ts'

async function echo({ method, path, query, headers, body }: Inbound): Promise<Answer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body?.read() ?? []) pieces.push(piece)
  const value =
    path === '/sallyport/v1/catalog' ? catalog : { method, path, query, headers, body: Buffer.concat(pieces).toString(), length: body?.length ?? null }
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify(value)) }
}

test('what the bridge sends passes the strict edge: bodies of both framings, none, and many in a row', async (t) => {
  const gate = await openGate({ handle: echo })
  const directory = await enrolledFolder(t, { authority: gate.authority, port: gate.edge.address.port })
  const link = await linkTo(t, directory)
  const secret = await readOrCreateSecret(directory, randomBytes)
  const bridge = await openBridge({
    link,
    listen: { host: '127.0.0.1', port: 0 },
    allowedOrigins: [],
    clientSecret: secret,
    clock: realClock,
    newId: randomUUID,
    report: (failure) => assert.fail(String(failure)),
  })
  t.after(() => bridge.close())
  const shown = { 'x-sallyport-secret': secret, 'content-type': 'application/json' }

  for (let count = 0; count < 20; count++) {
    const answer = await ask(bridge.port, { method: 'POST', path: `/http/crm/invoices?n=${count}`, headers: { ...shown, 'content-length': '2' }, body: '{}' })
    assert.deepEqual([answer.status, answer.json?.['query'], answer.json?.['body']], [200, `n=${count}`, '{}'])
  }
  const chunked = await ask(bridge.port, { method: 'POST', path: '/mcp', headers: { ...shown, 'transfer-encoding': 'chunked' }, body: '{"a":1}' })
  assert.deepEqual([chunked.status, chunked.json?.['body']], [200, '{"a":1}'])
  for (const method of ['GET', 'DELETE', 'POST'])
    assert.equal((await ask(bridge.port, { method, path: '/mcp/everything', headers: shown })).status, 200, method)
  const proxyAuthorization = `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`
  const proxied = await ask(bridge.port, { path: 'http://crm.internal/invoices', headers: { host: 'crm.internal', 'proxy-authorization': proxyAuthorization } })
  assert.equal(proxied.json?.['path'], '/http/crm/invoices')

  const refused = await ask(bridge.port, { path: '/http/crm/x', headers: { ...shown, x_underscore: '1' } })
  assert.deepEqual([refused.status, refused.json?.['code']], [400, 'edge.malformed'])

  const big = Buffer.alloc(200_000, 'x')
  const answer = await link.request({ method: 'PUT', path: '/http/crm/big', headers: [['content-type', 'text/plain']], body: big })
  assert.equal(answer.status, 200)
  assert.ok(Buffer.from(await readBytes(answer, 1_000_000)).includes(big))
})
