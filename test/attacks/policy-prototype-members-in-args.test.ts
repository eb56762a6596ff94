import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson, type Json } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')

function parse(text: string): Json {
  const parsed = parseJson(text)
  return parsed.kind === 'parsed' ? parsed.value : assert.fail(parsed.reason)
}

const inherited = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__']

test('members that every object inherits do not exist in arguments', () => {
  for (const name of inherited) {
    const bench = new Bench([{ id: 'flagged', match: {}, when: `has(args.${name}) || "${name}" in args`, then: 'permit' }])
    assert.equal(bench.ask(callBy(attacker, { args: {} })), 'policy.no-rule', name)
    assert.equal(bench.ask(callBy(attacker, { args: parse(`{"${name}": 1}`) })), 'permit', `${name} that was sent`)
  }
})

test('reading one is an error, so it denies', () => {
  for (const name of inherited) {
    const bench = new Bench([{ id: 'flagged', match: {}, when: `args.${name} != null && args.nested.${name} != null`, then: 'permit' }])
    assert.equal(bench.ask(callBy(attacker, { args: { nested: {} } })), 'policy.denied', name)
  }
})

test('a __proto__ in the arguments gives them no members', () => {
  const bench = new Bench([
    { id: 'anything', match: {}, then: 'permit' },
    { id: 'needs-admin', match: {}, when: '!has(args.isAdmin)', then: 'deny' },
  ])
  for (const text of ['{"__proto__": {"isAdmin": true}}', '{"constructor": {"prototype": {"isAdmin": true}}}']) {
    assert.equal(bench.ask(callBy(attacker, { args: parse(text) })), 'policy.denied', text)
  }
  assert.equal(Object.hasOwn(Object.prototype, 'isAdmin'), false)
})

test('arguments called constructor or __proto__ do not break a rule about others', () => {
  const bench = new Bench([{ id: 'small', match: {}, when: 'args.nested.amount < 50', then: 'permit' }])
  for (const name of inherited)
    assert.equal(bench.ask(callBy(attacker, { args: parse(`{"${name}": 1, "nested": {"amount": 5, "${name}": {}}}`) })), 'permit', name)
})

test('variables of a condition are never inherited ones', () => {
  assert.throws(() => new Bench([{ id: 'r', match: {}, when: 'constructor == 1', then: 'permit' }]), TypeError)
  assert.throws(() => new Bench([{ id: 'r', match: {}, when: 'subject.constructor == 1', then: 'permit' }]), TypeError)
})

test('facts never show inherited members', () => {
  const bench = new Bench([{ id: 'r', match: {}, when: 'args.constructor.name == "Object"', then: 'permit' }])
  const decision = bench.decide(callBy(attacker, { args: {} }))
  assert.equal(decision.kind, 'deny')
  assert.deepEqual(decision.grounds.facts, {})
})
