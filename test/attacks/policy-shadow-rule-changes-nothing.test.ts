import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')
const permitAll: RuleConfiguration = { id: 'all', match: {}, then: 'permit' }

test('a permit in shadow mode opens nothing', () => {
  const bench = new Bench([{ ...permitAll, mode: 'shadow' }])
  const decision = bench.decide(callBy(attacker))
  assert.equal(decision.kind === 'deny' && decision.problem.code, 'policy.no-rule')
  assert.deepEqual(decision.grounds.shadow, [{ rule: 'all', decision: 'permit' }])
  assert.deepEqual(decision.grounds.rules, [])
  assert.equal(bench.ask(callBy(attacker, { standing: 'protocol' })), 'policy.no-rule')
})

test('a permit in shadow mode does not soften a deny or a hold', () => {
  for (const [then, expected] of [
    ['deny', 'policy.denied'],
    ['hold', 'hold'],
  ] as const) {
    assert.equal(
      new Bench([
        { id: 'strict', match: {}, then },
        { ...permitAll, mode: 'shadow' },
      ]).ask(callBy(attacker)),
      expected,
    )
  }
})

test('deny, hold and broken rules in shadow mode are written down and let everything be', () => {
  const bench = new Bench([
    permitAll,
    { id: 'no', match: {}, then: 'deny', mode: 'shadow' },
    { id: 'ask', match: {}, then: 'hold', mode: 'shadow' },
    { id: 'broken', match: {}, when: 'args.missing > 1', then: 'permit', mode: 'shadow' },
    { id: 'idle', match: {}, when: 'false', then: 'deny', mode: 'shadow' },
  ])
  const decision = bench.decide(callBy(attacker))
  assert.equal(decision.kind, 'permit')
  assert.deepEqual(decision.grounds.shadow, [
    { rule: 'no', decision: 'deny' },
    { rule: 'ask', decision: 'hold' },
    { rule: 'broken', decision: 'deny' },
  ])
  assert.equal(bench.state.approvals.list(bench.nowMs).length, 0, 'nobody was asked')
})
