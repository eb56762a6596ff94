import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, clientOf, enrolAgent, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('a kept connection does not outlive its certificate', async (t) => {
  const gate = await openGate()
  const client = clientOf(gate, await enrolAgent(gate))
  t.after(() => {
    client.destroy()
    return gate.close()
  })
  assert.equal((await call(gate, client)).status, 200)

  gate.clock.nowMs += 12 * 3_600_000 + 1000
  const late = await call(gate, client)
  assert.deepEqual([late.isReused, late.status, late.body.code], [true, 401, 'identity.unauthenticated'])
  assert.deepEqual(gate.admitted, [invoiceBotId], 'only the first request got through')
  assert.match(gate.refusals[0] ?? '', /certificate-expired/)
})

test('a clock that stands before the certificate was made lets no one in', async (t) => {
  const gate = await openGate()
  const client = clientOf(gate, await enrolAgent(gate))
  t.after(() => {
    client.destroy()
    return gate.close()
  })
  gate.clock.nowMs -= 3_600_000
  assert.equal((await call(gate, client)).status, 401)
  assert.deepEqual(gate.admitted, [])
})
