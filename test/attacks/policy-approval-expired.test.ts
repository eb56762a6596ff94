import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')

function held(): { bench: Bench; id: string; expiresAt: number } {
  const bench = new Bench([{ id: 'ask', match: {}, then: 'hold', approval: { expires: '5m' } }])
  const decision = bench.decide(callBy(attacker))
  assert.ok(decision.kind === 'hold')
  assert.equal(decision.approval.expiresAt, bench.nowMs + 300_000)
  return { bench, ...decision.approval }
}

test('[T14] an approval that was not used in time is worth nothing', () => {
  for (const [moment, expected] of [
    [-1, 'permit'],
    [0, 'hold'],
    [1, 'hold'],
    [86_400_000, 'hold'],
  ] as const) {
    const { bench, id, expiresAt } = held()
    bench.state.approvals.answer(id, 'approved', 'ana', bench.nowMs)
    bench.nowMs = expiresAt + moment
    const decision = bench.decide(callBy(attacker))
    assert.equal(decision.kind, expected)
    if (decision.kind === 'hold') assert.notEqual(decision.approval.id, id, 'a person is asked anew')
  }
})

test('[T14] an answer that comes too late counts for nothing', () => {
  const { bench, id, expiresAt } = held()
  assert.deepEqual(bench.state.approvals.answer(id, 'approved', 'ana', expiresAt), { kind: 'expired' })
  bench.nowMs = expiresAt
  assert.equal(bench.ask(callBy(attacker)), 'hold')
})
