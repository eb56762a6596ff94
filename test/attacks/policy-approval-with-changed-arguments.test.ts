import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@sallyport/contract'
import { Bench, callBy, principalOf, streamedCallBy } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')
const approved = { args: { amount: 75, to: 'supplier' } }

function benchWithApproval(call = callBy(attacker, approved)): Bench {
  const bench = new Bench([{ id: 'ask', match: {}, then: 'hold' }])
  const held = bench.decide(call)
  assert.ok(held.kind === 'hold')
  bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs)
  return bench
}

const changes: readonly Json[] = [
  { amount: 7500, to: 'supplier' },
  { amount: 75, to: 'attacker' },
  { amount: '75', to: 'supplier' },
  { amount: 75, to: 'supplier', force: true },
  { amount: 75 },
  { amount: 75, to: ['supplier'] },
  [],
]
for (const [protocol, where] of [
  ['mcp', {}],
  ['http', { target: '/refunds' }],
] as const) {
  for (const args of changes) {
    test(`[T14] an approval for one ${protocol} call does not open ${JSON.stringify(args)}`, () => {
      const bench = benchWithApproval(callBy(attacker, { ...approved, ...where }))
      const decision = bench.decide(callBy(attacker, { args, ...where }))
      assert.ok(decision.kind === 'hold' && decision.isNew)
      assert.equal(bench.ask(callBy(attacker, { ...approved, ...where })), 'permit', 'the approval itself was not used up')
    })
  }
}

test('[T14] nor another action, resource, upstream, way of calling, or caller', async () => {
  const others = [await principalOf('acme', 'attacker-2'), await principalOf('globex', 'attacker')]
  const calls = [
    callBy(attacker, { ...approved, action: 'create_payout' }),
    callBy(attacker, { ...approved, resource: 'another' }),
    callBy(attacker, { ...approved, upstream: 'crm' }),
    callBy(attacker, { ...approved, target: '/refunds' }),
    ...others.map((other) => callBy(other, approved)),
  ]
  const bench = benchWithApproval()
  for (const call of calls) assert.equal(bench.ask(call), 'hold')
  assert.equal(bench.ask(streamedCallBy(attacker)), 'policy.denied')
  assert.equal(bench.ask(callBy(attacker, approved)), 'permit')
})

test('[T14] the same call in another order of members, with another JSON-RPC id, is the same call', () => {
  assert.equal(benchWithApproval().ask(callBy(attacker, { args: { to: 'supplier', amount: 75 }, messageId: 7 })), 'permit')
})
