// A rule that names a detector in letters that only look right would find nothing, and nobody who reviews it would see why.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCondition } from '../../packages/gateway/src/policy/condition.ts'
import { compilePolicy } from '../../packages/gateway/src/policy/snapshot.ts'

const lookalikes = [
  's\u0435cret',
  'secret/github\u2010token',
  '\uff53ecret',
  'secret\u200b',
  'Secret',
  ' secret',
  'secret/*',
  'secret/',
  '',
  'personal/\u0435mail',
  'secrets',
  'secret/github',
]

for (const name of lookalikes) {
  test(`the detector ${JSON.stringify(name)} is a fault of the configuration, with its place`, () => {
    const compiled = compileCondition(`has(args.x) && detects(args, ${JSON.stringify(name)})`)
    assert.ok(compiled.kind === 'invalid')
    assert.equal(compiled.faults.length, 1)
    assert.equal(compiled.faults[0]?.offset, 'has(args.x) && detects(args, '.length)
    assert.match(compiled.faults[0]?.message ?? '', /there is no detector/)
    if (name === '') return
    const policy = compilePolicy([], [], { upstreams: [] }, [{ id: 'r', match: {}, detect: ['secret', name], then: 'redact' }])
    assert.ok(policy.kind === 'invalid')
    assert.deepEqual(policy.faults[0]?.where, ['results', 0, 'detect', 1])
  })
}

test('a detector out of the call is a fault, since the agent would choose what is looked for', () => {
  for (const text of ['detects(args, args.detector)', 'detects(args, "sec" + "ret")', 'detects(args)', 'detects("secret")', 'detects(args, 1)'])
    assert.equal(compileCondition(text).kind, 'invalid', text)
})

test('a near miss has a suggestion', () => {
  const compiled = compileCondition('detects(args, "personal/creditcard")')
  assert.ok(compiled.kind === 'invalid')
  assert.equal(compiled.faults[0]?.hint, "did you mean 'personal/credit-card'?")
})
