import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuotaConfiguration, RuleConfiguration } from '@sallyport/contract'
import { compilePolicy, type RuleFault } from './snapshot.ts'

function faultsOf(rules: readonly RuleConfiguration[], quotas: readonly QuotaConfiguration[] = []): readonly RuleFault[] {
  const compiled = compilePolicy(rules, quotas, { upstreams: ['payments', 'crm'] })
  return compiled.kind === 'invalid' ? compiled.faults : []
}

test('an upstream that does not exist is a fault, with the one that was meant', () => {
  assert.deepEqual(faultsOf([{ id: 'r', match: { upstream: ['crm', 'paymnets'] }, then: 'permit' }]), [
    { rule: 'r', where: ['rules', 0, 'match', 'upstream', 1], message: "there is no upstream 'paymnets'", hint: "did you mean 'payments'?" },
  ])
  assert.deepEqual(faultsOf([{ id: 'r', match: { upstream: 'pay*' }, then: 'permit' }]), [])
})

test('two rules cannot have one name', () => {
  const rule: RuleConfiguration = { id: 'r', match: {}, then: 'permit' }
  assert.deepEqual(
    faultsOf([rule, { ...rule, id: 's' }, rule]).map(({ where, message }) => [where, message]),
    [[['rules', 2, 'id'], "the id 'r' is taken by rules[0]"]],
  )
})

test('every fault is told, each with its place', () => {
  const faults = faultsOf(
    [
      { id: 'a', match: {}, when: 'args.x >', then: 'permit' },
      { id: 'b', match: {}, when: 'arg.x > 1 && subject.agnet == "x"', then: 'deny' },
      { id: 'c', match: {}, then: 'permit', approval: { expires: '1m' } },
    ],
    [{ id: 'q', match: { upstream: 'cmr' }, per: ['tenant'], requests: 999_999_937, window: '365d' }],
  )
  assert.deepEqual(
    faults.map(({ rule, where, offset }) => [rule, where.join('.'), offset]),
    [
      ['a', 'rules.0.when', 7],
      ['b', 'rules.1.when', 0],
      ['b', 'rules.1.when', 20],
      ['c', 'rules.2.approval', undefined],
      ['q', 'quotas.0.match.upstream', undefined],
      ['q', 'quotas.0.requests', undefined],
    ],
  )
})
