import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogEvent } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../../../../test/fixtures/access-request.ts'
import { decisionEntry, entryTime } from '../audit/entries.ts'
import { questionOf } from './question.ts'
import { replay } from './state.ts'

const agents = [await principalOf('acme', 'bot'), await principalOf('acme', 'other'), await principalOf('globex', 'bot')]

const makeBench = (): Bench =>
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
