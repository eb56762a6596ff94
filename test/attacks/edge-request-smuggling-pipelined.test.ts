import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Inbound } from '../../packages/gateway/src/edge/inbound.ts'
import { answerOk, get, openGate, post } from '../fixtures/edge-gate.ts'

const smuggled = 'GET /http/admin/everything HTTP/1.1\r\nhost: gateway.test\r\n\r\n'

async function readBody(inbound: Inbound): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of inbound.body?.read() ?? []) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

test('a request inside a body is body, whoever reads it', async () => {
  const bodies: string[] = []
  const handle = async (inbound: Inbound) => {
    bodies.push(await readBody(inbound))
    return answerOk
  }
  const gate = await openGate({ handle })
  const caller = await gate.connect()
  const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
  caller.send(post([`content-length: ${smuggled.length}`], smuggled) + post(['transfer-encoding: chunked'], chunk) + get('connection: close'))
  const answers = await caller.rest()
  assert.equal(answers.split('HTTP/1.1 200 ').length - 1, 3)
  assert.deepEqual(bodies, [smuggled, smuggled, ''])
  assert.deepEqual(
    gate.handled.map(({ method, path }) => `${method} ${path}`),
    ['POST /http/crm/invoices', 'POST /http/crm/invoices', 'GET /http/crm/invoices'],
  )
})

test('a request inside a body that nobody read is skipped with it', async () => {
  const gate = await openGate()
  const caller = await gate.connect()
  caller.send(post([`content-length: ${smuggled.length}`], smuggled.slice(0, 10)))
  await caller.receive((received) => received.includes('hello'))
  caller.send(smuggled.slice(10) + get('connection: close'))
  await caller.rest()
  assert.deepEqual(
    gate.handled.map(({ method }) => method),
    ['POST', 'GET'],
  )
})

test('what follows a body too long to skip is never read', async () => {
  const gate = await openGate({ limits: { unreadBodyBytes: 10 } })
  const caller = await gate.connect()
  caller.send(post([`content-length: ${smuggled.length}`], smuggled.slice(0, 10)))
  await caller.receive((received) => received.includes('connection: close'))
  caller.send(smuggled.slice(10) + smuggled)
  await caller.rest()
  assert.equal(gate.handled.length, 1)
})

test('what follows a request whose body is missing its end is never read', async () => {
  const gate = await openGate({ handle: async (inbound) => (await readBody(inbound), answerOk) })
  const caller = await gate.connect()
  caller.send(post(['transfer-encoding: chunked'], '5\r\nhello\r\n'))
  await gate.asked(1)
  caller.send(`z\r\n${smuggled}${smuggled}`)
  assert.match(await caller.rest(), /^HTTP\/1\.1 400 [^]*edge\.malformed/)
  assert.equal(gate.handled.length, 1)
})

test('what follows a malformed request is never read', async () => {
  const gate = await openGate()
  const caller = await gate.connect()
  caller.send(`GET /.. HTTP/1.1\r\nhost: gateway.test\r\n\r\n${smuggled}`)
  const answers = await caller.rest()
  assert.match(answers, /^HTTP\/1\.1 400 /)
  assert.equal(answers.split('HTTP/1.1 ').length, 2)
  assert.deepEqual(gate.handled, [])
})

test('requests on one connection are handled one after the other, and answered in their order', async () => {
  const release = Promise.withResolvers<void>()
  const handle = async (inbound: Inbound) => {
    if (inbound.path === '/first') await release.promise
    return { status: 200, headers: [], body: Buffer.from(inbound.path) }
  }
  const gate = await openGate({ handle })
  const caller = await gate.connect()
  caller.send('GET /first HTTP/1.1\r\nhost: x\r\n\r\nGET /second HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await gate.asked(1)
  assert.equal(gate.handled.length, 1, 'the second waits')
  release.resolve()
  assert.match(await caller.rest(), /\/first[^]*\/second/)
})
