import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { a2aGate, sending } from '../fixtures/a2a-gate.ts'
import { claimsOf } from '../fixtures/delegation.ts'

const rules = [
  { id: 'billing', match: { upstream: 'billing' }, then: 'permit' },
  { id: 'delegation', match: { upstream: 'sallyport', action: 'delegate' }, then: 'permit' },
]
const message = (ticket: string): [string, Record<string, string>] => [sending('pay'), { 'sallyport-ticket': ticket }]

test('[F3] no call passes a session on in a circle or too far: it is refused, and not sent with less', async () => {
  await using gate = await a2aGate({ rules, agents: ['billing', 'one', 'two', 'three'], upstream: { ticket: 'delegated' } })
  const { agents } = gate
  const atBilling = await agents.pass('bot', agents.ticket, 'billing')
  const after = await agents.pass('billing', atBilling, 'one')
  assert.equal((await gate.post(...message(after), 'one')).said, 'access.delegation-refused', 'billing has acted already')
  assert.equal((await gate.post(...message(atBilling), 'billing')).said, 'access.delegation-refused', 'billing calls itself')
  const far = await agents.pass('two', await agents.pass('one', await agents.pass('bot', agents.ticket, 'one'), 'two'), 'three')
  assert.equal((await gate.post(...message(far), 'three')).said, 'access.delegation-refused', 'four hands already')
  assert.deepEqual(gate.peer.heard, [])
  assert.equal((await gate.post(...message(await agents.pass('bot', agents.ticket, 'one')), 'one')).said, 'answered')
})

test('[F3] the ticket that a call brings counts under the certificate that was shown, and never longer than the caller’s', async () => {
  await using gate = await a2aGate({ rules, upstream: { ticket: 'delegated' } })
  const { ticket } = gate.agents
  await setTimeout(1_100) // a lifetime that begins anew would end later, in whole seconds
  assert.equal((await gate.post(...message(ticket))).said, 'answered')
  const passed = String(gate.peer.heard.at(-1)?.headers['sallyport-ticket'])
  assert.equal(claimsOf(passed).expiresAtSeconds, claimsOf(ticket).expiresAtSeconds)
  for (const thief of ['bot', 'archive']) assert.equal((await gate.post(...message(passed), thief)).said, 'identity.ticket-invalid', thief)
  const renewed = await gate.agents.gate.whole.agent('billing')
  await renewed.renew()
  const next = await gate.agents.gate.held('billing')
  assert.equal((await gate.agents.gate.ask(next, '/sallyport/v1/whoami', [['sallyport-ticket', passed]])).said, 'identity.ticket-invalid', 'after a renewal')
  assert.equal((await gate.agents.gate.ask(gate.billing, '/sallyport/v1/whoami', [['sallyport-ticket', passed]])).said, 'answered')
})

test('[F3] no session leaves its tenant, whatever the rules say; a call may', async () => {
  await using gate = await a2aGate({ rules, upstream: { ticket: 'delegated', agent: 'other/billing' } })
  assert.equal((await gate.post(...message(gate.agents.ticket))).said, 'access.delegation-refused')
  assert.equal((await gate.post(sending('hello'))).said, 'forward.peer-refused', 'nobody of that tenant answers here')
  assert.deepEqual(gate.peer.heard, [])
})
