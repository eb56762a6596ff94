import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { claimsOf, delegationGate, refusalOf } from '../fixtures/delegation.ts'

test('[F3] whoever got less passes on no more, whatever it asks for', async () => {
  await using agents = await delegationGate()
  const passed = await agents.pass('bot', agents.ticket, 'billing', { scope: 'calendar.read' })
  assert.equal(refusalOf(await agents.exchange('billing', passed, 'archive', { scope: 'mail.send' })), '400 invalid_scope access.scope-unavailable')
  for (const scope of ['mail.send calendar.read', 'calendar.read admin', 'calendar.read calendar.read'])
    assert.deepEqual(claimsOf(await agents.pass('billing', passed, 'archive', { scope })).scopes, ['calendar.read'], scope)
  assert.deepEqual(claimsOf(await agents.pass('billing', passed, 'archive')).scopes, ['calendar.read'])
})

test('[F3] no ticket that is passed on outlives the one it came from', async () => {
  await using agents = await delegationGate()
  const bot = agents.held['bot'] ?? assert.fail()
  const { ticket } = await agents.gate.claim(bot)
  await setTimeout(1_100) // a lifetime that begins anew would end later, in whole seconds
  const passed = await agents.pass('bot', ticket, 'billing')
  assert.equal(claimsOf(passed).expiresAtSeconds, claimsOf(ticket).expiresAtSeconds)
  assert.equal(claimsOf(await agents.pass('billing', passed, 'archive')).expiresAtSeconds, claimsOf(ticket).expiresAtSeconds)
})
