import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('a perfect certificate of an agent that no one registered opens nothing', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)
  for (const id of ['spiffe://agents.test/tenant/acme/agent/ghost', 'spiffe://agents.test/tenant/ghost/agent/invoice-bot']) {
    const { status, body } = await callOnce(gate, await forge(gate, [{ type: 'url', value: id }]))
    assert.deepEqual([status, body.code], [401, 'identity.unauthenticated'], 'and a stranger does not learn who is registered')
  }
  assert.deepEqual(gate.admitted, [])
  assert.match(gate.refusals[0] ?? '', /unknown-agent/)
  assert.deepEqual(
    (await gate.authority.agents.list()).map(({ agent }) => agent),
    ['invoice-bot'],
    'and asking registers no one',
  )
  assert.equal((await callOnce(gate, await forge(gate, [{ type: 'url', value: invoiceBotId }]))).status, 200)
})
