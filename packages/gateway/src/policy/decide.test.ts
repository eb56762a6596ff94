import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { Bench, callBy, principalOf, streamedCallBy } from '../../../../test/fixtures/access-request.ts'

const bot = await principalOf('acme', 'invoice-bot')
const permitAll: RuleConfiguration = { id: 'all', match: {}, then: 'permit' }
const holdAll: RuleConfiguration = { id: 'ask', match: {}, then: 'hold' }
const denyAll: RuleConfiguration = { id: 'never', match: {}, then: 'deny' }
const broken: RuleConfiguration = { id: 'broken', match: {}, when: 'args.missing > 1', then: 'permit' }

const rows: readonly (readonly [name: string, rules: readonly RuleConfiguration[], expected: string])[] = [
  ['nothing', [], 'policy.no-rule'],
  ['a permit', [permitAll], 'permit'],
  ['a hold', [holdAll], 'hold'],
  ['a deny', [denyAll], 'policy.denied'],
  ['hold over permit', [permitAll, holdAll], 'hold'],
  ['deny over hold and permit', [permitAll, holdAll, denyAll], 'policy.denied'],
  ['deny first', [denyAll, permitAll], 'policy.denied'],
  ['a permit that cannot be evaluated', [broken], 'policy.denied'],
  ['a permit beside one that cannot be evaluated', [permitAll, broken], 'policy.denied'],
  ['a hold that cannot be evaluated', [{ ...broken, then: 'hold' }], 'policy.denied'],
  ['a deny that cannot be evaluated', [permitAll, { ...broken, then: 'deny' }], 'policy.denied'],
  ['a condition that does not hold', [{ ...permitAll, when: 'args.amount > 500' }], 'policy.no-rule'],
  ['a rule for another agent that cannot be evaluated', [permitAll, { ...broken, match: { agent: 'other' } }], 'permit'],
]
for (const [name, rules, expected] of rows) {
  test(`${name} gives ${expected}`, () => assert.equal(new Bench(rules).ask(callBy(bot, { args: { amount: 75 } })), expected))
}

test('the grounds name the rules that decided, what they read, and why', () => {
  const bench = new Bench([permitAll, { id: 'big', match: {}, when: 'args.amount > 50', then: 'deny' }, broken])
  const { grounds } = bench.decide(callBy(bot, { args: { amount: 75 } }))
  assert.deepEqual(grounds.rules, ['big', 'broken'])
  assert.deepEqual(grounds.facts, { 'args.amount': 75 })
  assert.match(grounds.reason ?? '', /rule broken cannot be evaluated: .*missing/)
})

test('a call that no rule permits says which conditions failed it', () => {
  const { grounds } = new Bench([{ id: 'small', match: {}, when: 'args.amount < 50', then: 'permit' }]).decide(callBy(bot, { args: { amount: 75 } }))
  assert.deepEqual(grounds.rules, [])
  assert.deepEqual(grounds.facts, { 'args.amount': 75 })
  assert.match(grounds.reason ?? '', /small/)
})

test('ten thousand rules that decide still fit into an entry', () => {
  const rules = Array.from({ length: 10_000 }, (_, index) => ({ ...denyAll, id: `rule-${index}` }))
  const { grounds } = new Bench(rules).decide(callBy(bot))
  assert.equal(grounds.rules.length, 32)
  assert.match(grounds.reason ?? '', /9968 more/)
})

test('what an agent does with itself is always permitted and never charged', () => {
  const bench = new Bench([denyAll], [{ id: 'q', per: ['agent'], requests: 1, window: '1h' }])
  for (let again = 0; again < 3; again += 1) {
    const decision = bench.decide(callBy(bot, { standing: 'own' }))
    assert.equal(decision.kind, 'permit')
    assert.deepEqual(decision.grounds.rules, ['builtin/own'])
  }
})

test('bookkeeping of a protocol is for those whom the rules could permit something there', () => {
  const rules: RuleConfiguration[] = [{ id: 'crm', match: { agent: 'invoice-bot', upstream: 'crm', action: 'read' }, when: 'false', then: 'hold' }]
  assert.equal(new Bench(rules).ask(callBy(bot, { standing: 'protocol', upstream: 'crm', action: 'initialize' })), 'permit')
  assert.equal(new Bench(rules).ask(callBy(bot, { standing: 'protocol', upstream: 'payments', action: 'initialize' })), 'policy.no-rule')
  assert.equal(new Bench([...rules, denyAll]).ask(callBy(bot, { standing: 'protocol', upstream: 'crm', action: 'initialize' })), 'policy.no-rule')
})

test('a quota without match counts the bookkeeping too, one with match counts calls', () => {
  const initialize = callBy(bot, { standing: 'protocol', action: 'initialize' })
  const all = new Bench([permitAll], [{ id: 'q', per: ['agent'], requests: 1, window: '1h' }])
  assert.deepEqual([all.ask(initialize), all.ask(callBy(bot))], ['permit', 'policy.quota-exhausted'])
  const matched = new Bench([permitAll], [{ id: 'q', match: { upstream: 'payments' }, per: ['agent'], requests: 1, window: '1h' }])
  assert.deepEqual([matched.ask(initialize), matched.ask(callBy(bot)), matched.ask(callBy(bot))], ['permit', 'permit', 'policy.quota-exhausted'])
})

test('denials and holds use nothing of a quota, and an exhausted one says when to come back', () => {
  const bench = new Bench(
    [permitAll, { id: 'no', match: {}, when: 'args.amount > 500', then: 'deny' }, { id: 'ask', match: {}, when: 'args.amount > 50', then: 'hold' }],
    [{ id: 'q', per: ['agent'], requests: 1, window: '1h' }],
  )
  for (let again = 0; again < 3; again += 1) {
    assert.equal(bench.ask(callBy(bot, { args: { amount: 501 } })), 'policy.denied')
    assert.equal(bench.ask(callBy(bot, { args: { amount: 51 } })), 'hold')
  }
  const permitted = bench.decide(callBy(bot, { args: { amount: 1 } }))
  assert.deepEqual(permitted.grounds.quotas, ['q'])
  const refused = bench.decide(callBy(bot, { args: { amount: 1 } }))
  assert.equal(refused.kind === 'deny' && refused.problem.code, 'policy.quota-exhausted')
  assert.equal(refused.kind === 'deny' && refused.problem.retryAfterSeconds, 3600)
  assert.deepEqual(refused.grounds.quotas, ['q'])
})

test('a held call waits for one approval, however often it is repeated', () => {
  const bench = new Bench([holdAll])
  const first = bench.decide(callBy(bot))
  const again = bench.decide(callBy(bot, { messageId: 2 }))
  assert.ok(first.kind === 'hold' && again.kind === 'hold')
  assert.deepEqual([first.isNew, again.isNew, again.approval], [true, false, first.approval])
  assert.equal(first.approval.expiresAt, bench.nowMs + 600_000)
})

test('the shortest time that a rule gives counts', () => {
  const bench = new Bench([holdAll, { ...holdAll, id: 'quick', approval: { expires: '1m' } }])
  const held = bench.decide(callBy(bot))
  assert.equal(held.kind === 'hold' && held.approval.expiresAt, bench.nowMs + 60_000)
})

test('a call that a person denied stays denied until the approval is over', () => {
  const bench = new Bench([holdAll])
  const held = bench.decide(callBy(bot))
  assert.ok(held.kind === 'hold')
  bench.state.approvals.answer(held.approval.id, 'denied', 'ana', bench.nowMs)
  assert.equal(bench.ask(callBy(bot)), 'policy.approval-denied')
  bench.nowMs = held.approval.expiresAt
  assert.equal(bench.ask(callBy(bot)), 'hold')
})

test('an exhausted quota leaves the approval for later', () => {
  const bench = new Bench([{ ...holdAll, when: 'args.amount > 50' }, permitAll], [{ id: 'q', per: ['agent'], requests: 1, window: '1m' }])
  const held = bench.decide(callBy(bot, { args: { amount: 51 } }))
  assert.ok(held.kind === 'hold')
  bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs)
  assert.equal(bench.ask(callBy(bot)), 'policy.denied', 'args.amount is missing')
  assert.equal(bench.ask(callBy(bot, { args: { amount: 1 } })), 'permit')
  assert.equal(bench.ask(callBy(bot, { args: { amount: 51 } })), 'policy.quota-exhausted')
  bench.nowMs += 60_000
  const used = bench.decide(callBy(bot, { args: { amount: 51 } }))
  assert.equal(used.kind === 'permit' && used.approval, held.approval.id)
})

test('a body that streams unread cannot be held for a person', () => {
  const bench = new Bench([holdAll])
  const decision = bench.decide(streamedCallBy(bot))
  assert.equal(decision.kind === 'deny' && decision.problem.code, 'policy.denied')
  assert.match(decision.grounds.reason ?? '', /streamed body/)
  assert.equal(bench.state.approvals.list(bench.nowMs).length, 0)
})

test('an agent can have only so many calls wait for a person', () => {
  const bench = new Bench([holdAll])
  for (let count = 0; count < 32; count += 1) assert.equal(bench.ask(callBy(bot, { args: { count } })), 'hold')
  assert.equal(bench.ask(callBy(bot, { args: { count: 32 } })), 'policy.quota-exhausted')
  assert.equal(bench.ask(callBy(bot, { args: { count: 0 } })), 'hold', 'what waits already still waits')
})
