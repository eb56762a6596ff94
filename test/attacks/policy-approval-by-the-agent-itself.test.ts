import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')

for (const person of ['attacker', 'Attacker', ' attacker\n', 'acme/attacker', attacker.id, attacker.id.toUpperCase()]) {
  test(`[T14] the agent does not approve its own call as ${JSON.stringify(person)}`, () => {
    const bench = new Bench([{ id: 'ask', match: {}, then: 'hold' }])
    const held = bench.decide(callBy(attacker))
    assert.ok(held.kind === 'hold')
    assert.deepEqual(bench.state.approvals.answer(held.approval.id, 'approved', person, bench.nowMs), { kind: 'own-request' })
    assert.equal(bench.ask(callBy(attacker)), 'hold')
    assert.equal(bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs).kind, 'answered', 'a person still can')
  })
}
