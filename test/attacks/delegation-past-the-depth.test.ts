import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ticketLimits } from '@sallyport/contract'
import { claimsOf, delegationGate, refusalOf } from '../fixtures/delegation.ts'

test('[F3] a session goes through the hands of so many agents, and no further', async () => {
  const chain = Array.from({ length: ticketLimits.actorsMax }, (_, at) => `agent-${at}`)
  await using agents = await delegationGate({ agents: chain })
  let [from, ticket] = ['bot', agents.ticket]
  for (const to of chain.slice(0, -1)) {
    ticket = await agents.pass(from, ticket, to)
    from = to
  }
  assert.equal(claimsOf(ticket).earlierActors.length + 1, ticketLimits.actorsMax)
  assert.equal(await agents.show(from, ticket), 'answered')
  assert.equal(refusalOf(await agents.exchange(from, ticket, chain.at(-1) ?? '')), '400 invalid_target access.delegation-refused')
})
