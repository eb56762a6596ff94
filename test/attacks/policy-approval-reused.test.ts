import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decisionEntry } from '../../packages/gateway/src/audit/entries.ts'
import { replay } from '../../packages/gateway/src/policy/state.ts'
import { questionOf } from '../../packages/gateway/src/policy/question.ts'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')
const makeBench = (): Bench => new Bench([{ id: 'ask', match: {}, then: 'hold' }])
const call = callBy(attacker, { args: { amount: 75 } })

function approve(bench: Bench): string {
  const held = bench.decide(call)
  assert.ok(held.kind === 'hold')
  assert.equal(bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs).kind, 'answered')
  return held.approval.id
}

test('[T14] an approved call passes once; the next one waits for a new answer', () => {
  const bench = makeBench()
  const approval = approve(bench)
  const used = bench.decide(call)
  assert.equal(used.kind === 'permit' && used.approval, approval)
  const again = bench.decide(callBy(attacker, { args: { amount: 75 }, messageId: 2 }))
  assert.ok(again.kind === 'hold' && again.isNew)
  assert.notEqual(again.approval.id, approval)
})

test('[T14] a used approval cannot be approved again', () => {
  const bench = makeBench()
  const approval = approve(bench)
  assert.equal(bench.decide(call).kind, 'permit')
  assert.deepEqual(bench.state.approvals.answer(approval, 'approved', 'ben', bench.nowMs), { kind: 'already-answered', answer: 'approved', person: 'ana' })
  assert.equal(bench.decide(call).kind, 'hold')
})

test('[T14] a used approval stays used across a restart', () => {
  const bench = makeBench()
  const events = []
  for (const step of ['ask', 'use']) {
    const decision = bench.decide(call)
    events.push(decisionEntry(questionOf(call), decision, bench.digest(call), 'revision', bench.nowMs))
    if (step === 'ask' && decision.kind === 'hold') {
      bench.state.approvals.answer(decision.approval.id, 'approved', 'ana', bench.nowMs)
      const time = new Date(bench.nowMs).toISOString()
      events.push({ v: 1, type: 'approval', time, approval: decision.approval.id, call: bench.digest(call), answer: 'approved', person: 'ana' } as const)
    }
  }
  assert.deepEqual(
    events.map((event) => (event.type === 'decision' ? event.decision : event.type)),
    ['hold', 'approval', 'permit'],
  )
  const restarted = makeBench()
  for (const event of events) replay(restarted.state, event, restarted.policy)
  assert.equal(restarted.ask(call), 'hold')
})
