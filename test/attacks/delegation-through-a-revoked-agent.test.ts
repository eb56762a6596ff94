import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, delegationGate, type DelegationGate } from '../fixtures/delegation.ts'

/** What ends a chain in the middle, and what the log then says. */
const ends: readonly (readonly [name: string, act: (agents: DelegationGate, certificate: string) => Promise<unknown>, reason: RegExp])[] = [
  ['an agent in the middle is revoked', ({ gate }) => gate.whole.admin('agent.revoke', billing), /billing is revoked or unknown, who acted before/],
  [
    'the certificate that it passed the work on with is revoked',
    ({ gate }, certificate) => gate.whole.admin('agent.revoke-certificate', { ...billing, certificate }),
    /a certificate of .*billing is revoked, who acted before/,
  ],
  ['it is blocked', ({ gate }) => gate.whole.admin('block', billing), /billing is blocked, who acted before/],
]
const billing = { tenant: 'acme', agent: 'billing', person: 'ada' }

for (const [name, act, reason] of ends) {
  test(`[F3] what was passed on ends when ${name}`, async () => {
    await using agents = await delegationGate()
    const passed = await agents.pass('bot', agents.ticket, 'billing')
    const further = await agents.pass('billing', passed, 'archive')
    assert.equal(await agents.show('archive', further), 'answered')
    const done = await act(agents, claimsOf(passed).thumbprint)
    assert.ok(!(typeof done === 'object' && done !== null && 'problem' in done), JSON.stringify(done))
    assert.equal(await agents.show('archive', further), 'identity.ticket-invalid')
    assert.equal(await agents.show('bot', agents.ticket), 'answered', 'whoever comes before it goes on')
    const refusals = (await agents.gate.whole.events()).flatMap((event) => (event.type === 'refusal' ? [event.reason] : []))
    assert.match(refusals.at(-1) ?? '', reason)
  })
}

test('[F3] on every thread, before the revocation is answered', async () => {
  await using agents = await delegationGate({ threads: 2 })
  const further = await agents.pass('billing', await agents.pass('bot', agents.ticket, 'billing'), 'archive')
  assert.equal(await agents.show('archive', further), 'answered')
  await agents.gate.whole.admin('agent.revoke', billing)
  for (let at = 0; at < 8; at += 1) assert.equal(await agents.show('archive', further), 'identity.ticket-invalid')
})
