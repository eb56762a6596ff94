import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import type { AccessRequest } from '../../packages/gateway/src/access/access-request.ts'
import { Bench, callBy, principalOf, type CallParts } from '../fixtures/access-request.ts'

const attacker = await principalOf('globex', 'attacker')
const victim = await principalOf('acme', 'invoice-bot')
const rules: readonly RuleConfiguration[] = [
  { id: 'acme-only', match: { tenant: 'acme' }, then: 'permit' },
  { id: 'all-of-acme', match: { tenant: 'acme*', agent: '*' }, then: 'permit' },
  { id: 'acme-by-condition', match: {}, when: 'subject.tenant == "acme" || subject.spiffe_id.contains("/tenant/acme/")', then: 'permit' },
]

const disguises: readonly CallParts[] = [
  { args: { tenant: 'acme', agent: 'invoice-bot', subject: { tenant: 'acme' } } },
  { args: { 'subject.tenant': 'acme', spiffe_id: victim.id } },
  { action: 'acme', resource: victim.id },
  { action: 'x\u0000tenant=acme', args: { tenant: ['acme'] } },
  { target: '/?tenant=acme', args: { query: { tenant: 'acme' }, body: { principal: { tenant: 'acme' } } } },
]
for (const parts of disguises) {
  test(`[T11] nothing in a call makes its tenant another: ${JSON.stringify(parts)}`, () => {
    const bench = new Bench(rules)
    const decision = bench.decide(callBy(attacker, parts))
    assert.equal(decision.kind === 'deny' && decision.problem.code, 'policy.no-rule')
    assert.equal(bench.ask(callBy(victim, parts)), 'permit')
  })
}

test('[T11] members laid beside the request or its context are not read', () => {
  const bench = new Bench(rules)
  const request: AccessRequest & Record<string, unknown> = { ...callBy(attacker), subject: { tenant: 'acme' }, tenant: 'acme' }
  assert.equal(bench.ask({ ...request, context: Object.assign({}, request.context, { tenant: 'acme' }) }), 'policy.no-rule')
})

test('[T11] one tenant cannot use, answer for or see as its own what another waits for', () => {
  const bench = new Bench([{ id: 'ask', match: {}, then: 'hold' }])
  const held = bench.decide(callBy(victim))
  assert.ok(held.kind === 'hold')
  bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs)
  const other = bench.decide(callBy(attacker))
  assert.ok(other.kind === 'hold' && other.isNew)
  assert.notEqual(other.approval.id, held.approval.id)
  assert.equal(bench.ask(callBy(victim)), 'permit')
})
