import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, openGate } from '../fixtures/identity-gate.ts'

test('an agent of another trust domain is nobody, even under our own root', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)

  for (const domain of ['agents.test.evil.example', 'evil-agents.test', 'sub.agents.test', 'test']) {
    const { status, body } = await callOnce(gate, await forge(gate, [{ type: 'url', value: `spiffe://${domain}/tenant/acme/agent/invoice-bot` }]))
    assert.deepEqual([status, body.code], [401, 'identity.unauthenticated'], domain)
  }
  assert.deepEqual(gate.admitted, [])
  assert.match(gate.refusals[0] ?? '', /trust domain/)
})
