import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuotaConfiguration, ResultRuleConfiguration, RuleConfiguration } from '@sallyport/contract'
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

test('a rule for results is told its faults: its name, its upstream, its detectors, what does not go together', () => {
  const rule: ResultRuleConfiguration = { id: 'r', match: {}, detect: ['secret'], then: 'redact' }
  const compiled = compilePolicy([{ id: 'r', match: {}, then: 'permit' }], [], { upstreams: ['crm'] }, [
    rule,
    { ...rule, match: { upstream: 'cmr' }, detect: ['personal/email', 'personal/mail'] },
    { ...rule, id: 's', binary: 'deny' },
    { ...rule, id: 't', then: 'deny', binary: 'deny', mode: 'shadow' },
  ])
  assert.ok(compiled.kind === 'invalid')
  assert.deepEqual(
    compiled.faults.map(({ rule: id, where, hint }) => [id, where.join('.'), hint]),
    [
      ['r', 'results.1.id', 'the log names rules by their id, so each needs its own'],
      ['r', 'results.1.match.upstream', "did you mean 'crm'?"],
      ['r', 'results.1.detect.1', "did you mean 'personal/email'?"],
      ['s', 'results.2.binary', 'binary: deny belongs to then: deny'],
    ],
  )
})
