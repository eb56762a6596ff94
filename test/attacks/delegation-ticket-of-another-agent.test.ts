import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delegationGate, refusalOf } from '../fixtures/delegation.ts'

test('[F3] a ticket for another agent is worth nothing to whoever passed it on, nor to a third', async () => {
  await using agents = await delegationGate()
  const { ticket } = agents
  const passed = await agents.pass('bot', ticket, 'billing')
  for (const thief of ['bot', 'archive']) assert.equal(await agents.show(thief, passed), 'identity.ticket-invalid', thief)
  assert.equal(agents.gate.whole.seen.length, 0)
  assert.equal(await agents.show('billing', passed), 'answered')
})

test('[F3] nobody passes on a session by the ticket of another agent', async () => {
  await using agents = await delegationGate()
  const passed = await agents.pass('bot', agents.ticket, 'billing')
  for (const [thief, stolen] of [
    ['bot', passed],
    ['archive', passed],
    ['billing', agents.ticket],
  ] as const)
    assert.equal(refusalOf(await agents.exchange(thief, stolen, 'archive')), '400 invalid_request identity.ticket-invalid', thief)
})
