import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('a certificate that names a host, an address, a mailbox or no one at all is nobody', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)

  const impostors = [
    await forge(gate, [{ type: 'dns', value: 'invoice-bot.agents.test' }]),
    await forge(gate, [{ type: 'ip', value: '127.0.0.1' }]),
    await forge(gate, [{ type: 'email', value: 'invoice-bot@agents.test' }]),
    await forge(gate, [], [{ CN: [invoiceBotId] }]),
  ]
  for (const impostor of impostors) {
    const { status, body } = await callOnce(gate, impostor)
    assert.deepEqual([status, body.code, body.detail], [401, 'identity.unauthenticated', undefined])
  }
  assert.deepEqual(gate.admitted, [])
  assert.equal(gate.refusals.length, impostors.length)
})
