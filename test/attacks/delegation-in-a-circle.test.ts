import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delegationGate, refusalOf } from '../fixtures/delegation.ts'

test('[F3] a session comes to no agent twice, not even at once', async () => {
  await using agents = await delegationGate()
  const passed = await agents.pass('bot', agents.ticket, 'billing')
  const further = await agents.pass('billing', passed, 'archive')
  for (const [from, ticket, to] of [
    ['bot', agents.ticket, 'bot'],
    ['billing', passed, 'bot'],
    ['archive', further, 'bot'],
    ['archive', further, 'billing'],
  ] as const)
    assert.equal(refusalOf(await agents.exchange(from, ticket, to)), '400 invalid_target access.delegation-refused', `${from} to ${to}`)
})
