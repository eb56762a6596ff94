import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogEvent } from '@sallyport/contract'
import { Bench, callBy, policyOf, principalOf } from '../../../../test/fixtures/access-request.ts'
import { decisionEntry, entryTime } from '../audit/entries.ts'
import { questionOf } from './question.ts'
import { PolicyState, replay } from './state.ts'
import { restoreState, snapshotOf, stateSnapshot } from './state-snapshot.ts'

const agents = [await principalOf('acme', 'bot'), await principalOf('acme', 'other'), await principalOf('globex', 'bot')]

const makeBench = (state?: PolicyState): Bench =>
  new Bench(
    [
      { id: 'all', match: {}, then: 'permit' },
      { id: 'ask', match: { action: 'create_refund' }, when: 'args.amount > 2', then: 'hold', approval: { expires: '4s' } },
      { id: 'never', match: { action: 'delete' }, then: 'deny' },
    ],
    [
      { id: 'tenant', per: ['tenant'], requests: 9, window: '3s' },
      { id: 'action', match: { upstream: 'payments' }, per: ['agent', 'action'], requests: 7, window: '5s', burst: 3 },
    ],
    state,
  )

const call = fc.record({
  kind: fc.constant('call' as const),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: -200, max: 2000 })),
  agent: fc.constantFrom(0, 0, 0, 1, 2),
  upstream: fc.constantFrom('payments', 'payments', 'payments', 'crm'),
  action: fc.constantFrom('create_refund', 'create_refund', 'create_refund', 'create_refund', 'delete', 'list', 'x'.repeat(5000)),
  amount: fc.constantFrom(1, 3),
  standing: fc.constantFrom('call' as const, 'call' as const, 'call' as const, 'call' as const, 'protocol' as const),
})
const answer = fc.record({
  kind: fc.constant('answer' as const),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 4500 })),
  which: fc.nat(),
  answer: fc.constantFrom('approved' as const, 'approved' as const, 'denied' as const),
  person: fc.constantFrom('ana', 'ben', 'bot'),
})
const acts = fc.array(fc.oneof({ weight: 3, arbitrary: call }, { weight: 1, arbitrary: answer }), { maxLength: 60, size: 'max' })
type Act = typeof acts extends fc.Arbitrary<(infer Item)[]> ? Item : never

function run(bench: Bench, given: readonly Act[]): { events: LogEvent[]; seen: unknown[] } {
  const events: LogEvent[] = []
  const seen: unknown[] = []
  for (const act of given) {
    bench.nowMs += act.waitMs
    if (act.kind === 'call') {
      const principal = agents[act.agent] ?? agents[0]
      if (!principal) continue
      const request = callBy(principal, { upstream: act.upstream, action: act.action, args: { amount: act.amount }, standing: act.standing })
      const decision = bench.decide(request)
      const event = decisionEntry(questionOf(request), decision, bench.digest(request), 'revision', bench.nowMs)
      events.push(event)
      seen.push([event.decision, event.code, event.quotas, event.approval === undefined, decision.kind === 'deny' && decision.problem.retryAfterSeconds])
      continue
    }
    const waiting = bench.state.approvals.list(bench.nowMs)
    const approval = waiting[act.which % Math.max(1, waiting.length)]
    if (!approval) continue
    const answered = bench.state.approvals.answer(approval.id, act.answer, act.person, bench.nowMs)
    seen.push(answered.kind)
    if (answered.kind === 'answered') {
      events.push({
        v: 1,
        type: 'approval',
        time: entryTime(bench.nowMs),
        approval: approval.id,
        call: answered.digest,
        answer: act.answer,
        person: act.person,
      })
    }
  }
  return { events, seen }
}

test('the state replayed from the log decides what the live one decides', () => {
  fc.assert(
    fc.property(acts, acts, (before, after) => {
      const live = makeBench()
      const { events } = run(live, before)
      const restarted = makeBench()
      for (const event of events) replay(restarted.state, event, restarted.policy)
      restarted.nowMs = live.nowMs
      assert.deepEqual(restarted.state.approvals.list(live.nowMs), live.state.approvals.list(live.nowMs))
      assert.deepEqual(run(restarted, after).seen, run(live, after).seen)
    }),
    { numRuns: 200 },
  )
})

test('a snapshot of the state and the entries behind it decide what replaying all of them decides', () => {
  fc.assert(
    fc.property(acts, acts, fc.nat(), (before, after, place) => {
      const { events } = run(makeBench(), before)
      const split = place % (events.length + 1)
      const whole = makeBench()
      for (const event of events) replay(whole.state, event, whole.policy)
      const prefix = new PolicyState()
      for (const event of events.slice(0, split)) replay(prefix, event, whole.policy)
      const kept = stateSnapshot.parse(JSON.parse(JSON.stringify(snapshotOf(prefix))))
      const rest = makeBench(restoreState(kept, whole.policy))
      for (const event of events.slice(split)) replay(rest.state, event, rest.policy)
      rest.nowMs = whole.nowMs
      assert.deepEqual(inOrder(rest.state), inOrder(whole.state))
      assert.deepEqual(run(rest, after).seen, run(whole, after).seen)
    }),
    { numRuns: 200 },
  )
})

test('what a call held back is in a snapshot, and use under a quota that was changed since is not', () => {
  const use = { requests: 1, tokens: 5, cost: undefined }
  const [policy, changed] = [10, 20].map((tokens) => policyOf([], [{ id: 'spend', per: ['agent'], tokens, window: '1h' }]))
  const [quota] = policy?.quotas ?? []
  assert.ok(policy && changed && quota)
  const subject = { tenant: 'acme', agent: 'bot', upstream: 'models', action: 'chat' }
  const state = new PolicyState()
  assert.ok(state.quotas.add([quota], subject, use, 'one', 1_000))
  const kept = snapshotOf(state)
  const restored = restoreState(kept, policy)
  assert.equal(restored.quotas.charge([quota], subject, { ...use, tokens: 6 }, 'two', 1_000).kind, 'exhausted')
  restored.quotas.settle('one', { tokens: 0, cost: 0 }, 1_000)
  assert.equal(restored.quotas.charge([quota], subject, { ...use, tokens: 6 }, 'two', 1_000).kind, 'charged')
  assert.equal(restoreState(kept, changed).quotas.reservations, 0)
})

/** Where a counter stands among the others is no part of what it counts. */
function inOrder(state: PolicyState): unknown {
  const { quotas, ...others } = snapshotOf(state)
  return { ...others, latestMs: quotas.latestMs, counters: [...quotas.counters].sort((one, other) => (one.key < other.key ? -1 : 1)) }
}
