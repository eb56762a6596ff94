// Token passthrough: a ticket is between the agent and the gateway.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { objectionToPassing } from '../../packages/gateway/src/access/http/forwardable-headers.ts'
import { sessionGate } from '../fixtures/whole-sessions.ts'

test('[S3] no upstream sees a ticket, and neither ticket nor handle is in the log or in what the gateway reports', async () => {
  await using gate = await sessionGate()
  const held = await gate.held()
  const claimed = await gate.claim(held)
  const shown = [
    ['sallyport-ticket', claimed.ticket],
    ['accept', 'application/json'],
  ] as const
  assert.equal((await gate.ask(held, '/http/api/things/1', shown)).said, 'answered')
  const { body } = await gate.ask(held, '/sallyport/v1/session/refresh', [], { handle: claimed.handle })
  const secrets = [claimed.ticket, claimed.handle, String(body['ticket']), String(body['handle'])]
  const arrived = gate.whole.seenHeaders.flat().join('\n')
  assert.match(arrived, /^accept$/m)
  assert.doesNotMatch(arrived, /ticket/i)
  for (const secret of secrets) assert.ok(!arrived.includes(secret))

  await gate.whole.stop()
  const written = [JSON.stringify(await gate.whole.events()), ...gate.whole.faults, JSON.stringify(gate.whole.told)]
  const places = ['state.db', 'state.db-wal', 'log.head']
  for (const file of await readdir(gate.whole.data)) if (places.includes(file)) written.push(await readFile(join(gate.whole.data, file), 'latin1'))
  for (const secret of secrets) for (const text of written) assert.ok(!text.includes(secret))
  const decision = (await gate.whole.events()).find((event) => event.type === 'decision' && event.upstream === 'api')
  assert.equal(decision?.type === 'decision' && decision.caller.session, claimed.session)
})

test('no configuration lets the header pass', () => {
  assert.match(objectionToPassing('sallyport-ticket', undefined) ?? '', /between the agent and the gateway/)
})

test('a ticket in another field is no ticket', async () => {
  await using gate = await sessionGate({ sessions: { required: ['acm*'] } })
  const held = await gate.held()
  const { ticket } = await gate.claim(held)
  for (const [name, value] of [
    ['authorization', `Bearer ${ticket}`],
    ['authorization', `Sallyport ${ticket}`],
    ['cookie', `sallyport-ticket=${ticket}`],
    ['x-sallyport-ticket', ticket],
  ] as const)
    assert.equal((await gate.ask(held, '/http/api/things/1', [[name, value]])).said, 'identity.session-required')
  assert.equal((await gate.ask(held, `/http/api/things/1?sallyport-ticket=${ticket}`)).said, 'identity.session-required')
  assert.deepEqual(gate.whole.seen, [])
})
