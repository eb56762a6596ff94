import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, RuleConfiguration } from '@sallyport/contract'
import { compileCondition } from '../../packages/gateway/src/policy/condition.ts'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')
const anything: RuleConfiguration = { id: 'anything', match: {}, then: 'permit' }
const longest = 'a'.repeat(1_000_000)
const many = Array.from({ length: 1000 }, () => 'a'.repeat(900))

/** Generous: each takes minutes or for ever without its defence. */
const soonMs = 2000

const attacks: readonly (readonly [when: string, args: Json])[] = [
  ['args.text.matches("^(a+)+$")', { text: `${longest}!` }],
  ['args.text.matches("(a|aa)*(a|aa)*(a|aa)*b")', { text: longest }],
  ['args.text.matches("(a{1,100}){1,10}b")', { text: longest }],
  ['args.texts.exists(t, t.matches("^(a+)+$"))', { texts: many.map((text) => `${text}!`) }],
  ['args.list.exists(x, args.list == [x])', { list: many }],
  ['args.list.all(x, x in args.list)', { list: Array.from({ length: 1000 }, (_, index) => index) }],
  ['args.list.exists(x, args.list.size() + size(args.text) > 5000000)', { list: many, text: longest }],
  ['args.list.map(x, x).size() == 5', { list: many }],
  ['args.text.contains(args.needle)', { text: longest, needle: `${longest.slice(0, 30_000)}b${longest.slice(0, 30_000)}` }],
  ['args.list.exists(x, (args.text + x).contains(args.text + "b"))', { list: many, text: longest }],
  ['args.list.exists(x, bytes(args.text + x) == bytes(x + args.text))', { list: many, text: longest }],
  ['args.list.exists(x, args.text + x < args.text + x + "b" && args.text > x + args.text)', { list: many, text: longest }],
  ['args.tree == args.tree', { tree: Array.from({ length: 1000 }, () => Array.from({ length: 100 }, () => [1])) }],
]
for (const [when, args] of attacks) {
  test(`${when} cannot hold the thread that decides for everyone`, () => {
    const bench = new Bench([anything, { id: 'watch', match: {}, when, then: 'deny' }])
    const started = performance.now()
    bench.decide(callBy(attacker, { args }))
    assert.ok(performance.now() - started < soonMs, `${performance.now() - started} ms`)
  })
}

test('what would cost too much is a denial, never a pass', () => {
  const bench = new Bench([anything, { id: 'watch', match: {}, when: 'args.text.matches("b$")', then: 'deny' }])
  const decision = bench.decide(callBy(attacker, { args: { text: longest } }))
  assert.equal(decision.kind, 'deny')
  assert.match(decision.grounds.reason ?? '', /costs too much/)
})

test('the caller cannot bring its own regular expression', () => {
  assert.equal(compileCondition('args.text.matches(args.pattern)').kind, 'invalid')
})

test('loops in loops are refused when the rule is read', () => {
  for (const when of [
    'args.a.all(x, args.b.all(y, args.c.all(z, x == y)))',
    'args.a.map(x, x.b).exists(y, y == 1)',
    'args.a.filter(x, x.b.exists(y, true)).size() > 0',
  ]) {
    assert.equal(compileCondition(when).kind, 'invalid', when)
  }
})

test('an expression made to break the parser is refused', () => {
  for (const when of [
    '('.repeat(4000),
    `${'('.repeat(2000)}1${')'.repeat(2000)}`,
    '!'.repeat(4000),
    '-'.repeat(4000),
    '[{'.repeat(2000),
    `args${'.a'.repeat(2000)}`,
    `${'true?'.repeat(800)}`,
  ]) {
    const started = performance.now()
    assert.equal(compileCondition(when).kind, 'invalid', when.slice(0, 20))
    assert.ok(performance.now() - started < soonMs, when.slice(0, 20))
  }
})
