import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaptureConfiguration, CaptureMode } from '@sallyport/contract'
import { compileCapture } from './capture.ts'

const subject = { tenant: 'acme', agent: 'bot', upstream: 'payments', action: 'create_refund' }
const modeOf = (configuration: CaptureConfiguration): CaptureMode => compileCapture(configuration).capture.modeFor(subject)
const rule = (match: NonNullable<CaptureConfiguration['rules']>[number]['match'], then: CaptureMode): NonNullable<CaptureConfiguration['rules']>[number] => ({
  match,
  then,
})

test('nothing is kept unless the configuration says so', () => {
  assert.equal(modeOf({}), 'off')
  assert.equal(modeOf({ default: 'digest' }), 'digest')
  assert.equal(modeOf({ rules: [rule({ upstream: 'crm' }, 'sealed')] }), 'off')
})

test('a rule that matches takes the place of the default, whichever keeps more', () => {
  assert.equal(modeOf({ default: 'sealed', rules: [rule({ tenant: 'acme' }, 'off')] }), 'off')
  assert.equal(modeOf({ default: 'off', rules: [rule({ action: 'create_*' }, 'sealed')] }), 'sealed')
  assert.equal(modeOf({ default: 'digest', rules: [rule({ agent: ['bot', 'cat'] }, 'sealed')] }), 'sealed')
})

test('of several that match, the one that keeps least counts, in whatever order they stand', () => {
  const rules = [rule({}, 'sealed'), rule({ upstream: 'payments' }, 'digest'), rule({ agent: 'b*' }, 'off'), rule({ agent: 'cat' }, 'off')]
  for (let turn = 0; turn < rules.length; turn += 1) {
    assert.equal(modeOf({ rules }), 'off')
    assert.equal(modeOf({ rules: rules.filter(({ then }) => then !== 'off') }), 'digest')
    rules.push(...rules.splice(0, 1))
  }
})

test('facts of the arguments are left out of entries where none may stay, and no others', () => {
  const facts = { 'args.amount': 1, args: 'x', 'args[0]': 2, 'subject.agent': 'bot', argument: 3 }
  assert.deepEqual(compileCapture({}).capture.factsToTell(facts), facts)
  assert.deepEqual(compileCapture({ facts: false }).capture.factsToTell(facts), { 'subject.agent': 'bot', argument: 3 })
})

test('what is named to be redacted must be a detector or a group', () => {
  assert.deepEqual(compileCapture({ redact: ['personal', 'secret/github-token'] }).faults, [])
  assert.deepEqual(
    compileCapture({ redact: ['personal/email', 'personal/e-mail'] }).faults.map(({ where }) => where),
    [['capture', 'redact', 1]],
  )
})
