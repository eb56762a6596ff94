import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { Bench, callBy, policyOf, principalOf, streamedCallBy } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')
const anything: RuleConfiguration = { id: 'anything', match: {}, then: 'permit' }

test('[T11] arguments that break a rule that would deny or hold are denied, not let past it', () => {
  for (const then of ['deny', 'hold'] as const) {
    const bench = new Bench([anything, { id: 'limit', match: {}, when: 'double(args.amount) > 50.0', then }])
    assert.equal(bench.ask(callBy(attacker, { args: { amount: 5 } })), 'permit')
    for (const amount of ['75 USD', '', 'NaN', '0x4b', null, [75], { value: 75 }, true, '9'.repeat(400)]) {
      const decision = bench.decide(callBy(attacker, { args: { amount } }))
      assert.equal(decision.kind === 'deny' && decision.problem.code, 'policy.denied', `${then} ${JSON.stringify(amount)}`)
      assert.deepEqual(decision.grounds.rules, ['limit'])
      assert.match(decision.grounds.reason ?? '', /rule limit cannot be evaluated/)
    }
    assert.equal(bench.ask(callBy(attacker, { args: {} })), 'policy.denied')
    assert.equal(bench.state.approvals.list(bench.nowMs).length, 0, 'nothing was asked of a person')
  }
})

test('[T11] a rule that permits and cannot be evaluated denies what another rule permits', () => {
  const bench = new Bench([anything, { id: 'small', match: {}, when: 'args.amount < 50', then: 'permit' }])
  assert.equal(bench.ask(callBy(attacker, { args: { amount: '5' } })), 'policy.denied')
})

test('[T11] a member set to null does not hide from has()', () => {
  const bench = new Bench([anything, { id: 'no-force', match: {}, when: 'has(args.force) || "force" in args', then: 'deny' }])
  assert.equal(bench.ask(callBy(attacker, { args: { force: null } })), 'policy.denied')
  assert.equal(bench.ask(callBy(attacker, { args: {} })), 'permit')
})

test('[T11] a body that streams past unread does not slip past a rule about arguments', () => {
  for (const when of ['has(args.body.force)', 'args.body.amount > 50', '"body" in args && args.body.force']) {
    const bench = new Bench([anything, { id: 'no-force', match: {}, when, then: 'deny' }])
    const decision = bench.decide(streamedCallBy(attacker))
    assert.equal(decision.kind, 'deny', when)
    assert.match(decision.grounds.reason ?? '', /streamed unread/)
  }
})

test('[T11] too many elements to look at end in a denial', () => {
  const bench = new Bench([anything, { id: 'no-root', match: {}, when: 'args.paths.exists(p, p == "/root")', then: 'deny' }])
  const paths = Array.from({ length: 1001 }, () => '/tmp')
  assert.equal(bench.ask(callBy(attacker, { args: { paths: [...paths, '/root'] } })), 'policy.denied')
  assert.equal(bench.ask(callBy(attacker, { args: { paths } })), 'policy.denied')
})

test('[T11] a rule that is wrong in itself never becomes a policy', () => {
  for (const when of ['args.amount >', 'arg.amount > 5', 'args.amount + 1.0', 'action > 5', 'args.a.matches("(")']) {
    assert.throws(() => policyOf([anything, { id: 'broken', match: {}, when, then: 'deny' }]), TypeError, when)
  }
})
