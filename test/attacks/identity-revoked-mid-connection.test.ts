import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, callOnce, clientOf, enrolAgent, invoiceBot, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('[F1] revoking an agent cuts its live connection and every later one, and reinstating it brings no old certificate back', async (t) => {
  const gate = await openGate()
  const held = await enrolAgent(gate)
  const client = clientOf(gate, held)
  t.after(() => {
    client.destroy()
    return gate.close()
  })
  assert.equal((await call(gate, client)).status, 200)

  await gate.authority.agents.revoke(invoiceBot, 'ada')
  const again = await call(gate, client).catch((error: NodeJS.ErrnoException) => error)
  assert.ok(again instanceof Error || (again.status === 401 && !again.isReused), 'the live connection is gone')
  assert.equal((await callOnce(gate, held)).status, 401)

  await gate.authority.agents.reinstate(invoiceBot, 'ada')
  assert.equal((await callOnce(gate, held)).status, 401)
  assert.deepEqual(gate.admitted, [invoiceBotId], 'nothing got through after the revocation')
})

test('[F1] a revoked connection that nothing cuts is refused at its next request', async (t) => {
  const gate = await openGate()
  gate.authority.roster.onChange(() => undefined)
  const client = clientOf(gate, await enrolAgent(gate))
  t.after(() => {
    client.destroy()
    return gate.close()
  })
  assert.equal((await call(gate, client)).status, 200)
  const [certificate] = await gate.store.certificates(invoiceBot)
  assert.ok(certificate)

  await gate.authority.agents.revokeCertificate(invoiceBot, certificate.thumbprint, 'ada')
  const refusal = await call(gate, client)
  assert.deepEqual([refusal.isReused, refusal.status, refusal.body.code], [true, 401, 'identity.unauthenticated'])
  assert.equal(gate.admitted.length, 1)
})

test('the kill switch stops one agent, its tenant or everyone, and lets go again', async (t) => {
  const gate = await openGate()
  const held = await enrolAgent(gate)
  t.after(() => gate.close())
  for (const block of [{ scope: 'agent', ...invoiceBot }, { scope: 'tenant', tenant: invoiceBot.tenant }, { scope: 'all' }] as const) {
    await gate.authority.agents.block(block, 'ada')
    const { status, body } = await callOnce(gate, held)
    assert.deepEqual([status, body.code], [403, 'identity.blocked'])
    await gate.authority.agents.lift(block, 'ada')
    assert.equal((await callOnce(gate, held)).status, 200)
  }
})
