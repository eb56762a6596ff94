import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { policyOf, principalOf } from '../../../../test/fixtures/access-request.ts'
import { isReachable } from './reach.ts'

const bot = await principalOf('acme', 'bot')
const permitRead: RuleConfiguration = { id: 'read', match: { agent: 'bot', upstream: 'crm', action: ['read', 'list'] }, then: 'permit' }

const rows: readonly (readonly [
  name: string,
  rules: readonly RuleConfiguration[],
  upstream: string | undefined,
  action: string | undefined,
  expected: boolean,
])[] = [
  ['no rule', [], 'crm', undefined, false],
  ['a permitted action', [permitRead], 'crm', 'read', true],
  ['another action', [permitRead], 'crm', 'delete', false],
  ['its upstream', [permitRead], 'crm', undefined, true],
  ['another upstream', [permitRead], 'payments', undefined, false],
  ['anywhere', [permitRead], undefined, undefined, true],
  ['a condition is not asked', [{ ...permitRead, when: 'false' }], 'crm', 'read', true],
  ['a hold', [{ ...permitRead, then: 'hold' }], 'crm', 'read', true],
  ['a shadow permit', [{ ...permitRead, mode: 'shadow' }], 'crm', 'read', false],
  ['a shadow deny', [permitRead, { id: 'no', match: {}, then: 'deny', mode: 'shadow' }], 'crm', 'read', true],
  ['another tenant', [{ ...permitRead, match: { tenant: 'globex' } }], 'crm', 'read', false],
  ['an unconditional deny', [permitRead, { id: 'no', match: { action: 'r*' }, then: 'deny' }], 'crm', 'read', false],
  ['a deny of one action leaves the other', [permitRead, { id: 'no', match: { action: 'r*' }, then: 'deny' }], 'crm', undefined, true],
  ['denies of all its actions', [permitRead, { id: 'no', match: { action: ['read', 'l*'] }, then: 'deny' }], 'crm', undefined, false],
  ['a deny with a condition', [permitRead, { id: 'no', match: {}, when: 'true', then: 'deny' }], 'crm', 'read', true],
  [
    'a deny elsewhere',
    [
      { id: 'all', match: {}, then: 'permit' },
      { id: 'no', match: { upstream: 'payments' }, then: 'deny' },
    ],
    'crm',
    undefined,
    true,
  ],
  [
    'a deny there',
    [
      { id: 'all', match: {}, then: 'permit' },
      { id: 'no', match: { upstream: 'payments' }, then: 'deny' },
    ],
    'payments',
    undefined,
    false,
  ],
  [
    'a deny there, seen from anywhere',
    [
      { id: 'all', match: {}, then: 'permit' },
      { id: 'no', match: { upstream: 'payments' }, then: 'deny' },
    ],
    undefined,
    undefined,
    true,
  ],
]
for (const [name, rules, upstream, action, expected] of rows) {
  test(`${name}: ${expected ? 'reachable' : 'out of reach'}`, () => assert.equal(isReachable(policyOf(rules), bot, upstream, action), expected))
}
