import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, openGate } from '../fixtures/identity-gate.ts'

const tricks = [
  'spiffe://agents.test/tenant/acme/agent/x/../invoice-bot',
  'spiffe://agents.test/tenant/acme/agent/./invoice-bot',
  'spiffe://agents.test/tenant/evil/../acme/agent/invoice-bot',
  'spiffe://agents.test/tenant/acme/agent/invoice%2Dbot',
  'spiffe://agents.test/tenant/acme%2fagent/agent/invoice-bot',
  'spiffe://agents.test/tenant/acme//agent/invoice-bot',
  'spiffe://agents.test//tenant/acme/agent/invoice-bot',
  'spiffe://agents.test/tenant/acme/agent/invoice-bot/',
  'spiffe://agents.test/tenant/acme/agent/invoice-bot?x',
  'spiffe://agents.test/tenant/acme/agent/invoice-bot#x',
  'spiffe://agents.test:443/tenant/acme/agent/invoice-bot',
  'spiffe://root@agents.test/tenant/acme/agent/invoice-bot',
  'spiffe://AGENTS.TEST/tenant/acme/agent/invoice-bot',
  'SPIFFE://agents.test/tenant/acme/agent/invoice-bot',
  'spiffe:agents.test/tenant/acme/agent/invoice-bot',
  'https://agents.test/tenant/acme/agent/invoice-bot',
  'spiffe://agents.test/tenant/acme/agent/invoice-bot\u0000',
  'spiffe://agents.test/tenant/acme/agent/invoice-bot\n',
  ' spiffe://agents.test/tenant/acme/agent/invoice-bot',
  'spiffe://agents.test/tenant/acme/agent',
  'spiffe://agents.test/tenant/acme/agent/',
  'spiffe://agents.test/gateway',
]

test('no second spelling of a SPIFFE id names the agent', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)

  for (const trick of tricks) {
    const { status } = await callOnce(gate, await forge(gate, [{ type: 'url', value: trick }]))
    assert.equal(status, 401, JSON.stringify(trick))
  }
  assert.deepEqual(gate.admitted, [])
  assert.ok(gate.refusals.every((reason) => reason.startsWith('identity.certificate-invalid')))
})
