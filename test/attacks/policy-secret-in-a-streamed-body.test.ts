// A body that passes unread can hold anything: a rule that looks through it cannot say that it holds nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, principalOf, streamedCallBy } from '../fixtures/access-request.ts'

const caller = await principalOf('acme', 'invoice-bot')

for (const when of ['detects(args, "secret")', 'detects(args.body, "secret")', '!detects(args, "secret")']) {
  test(`${when} denies a call whose body is streamed`, () => {
    const bench = new Bench([
      { id: 'all', match: {}, then: 'permit' },
      { id: 'rule', match: {}, when, then: 'permit' },
    ])
    assert.equal(bench.ask(streamedCallBy(caller)), 'policy.denied')
  })
}

test('what is known of the call can be looked through', () => {
  const bench = new Bench([
    { id: 'all', match: {}, then: 'permit' },
    { id: 'rule', match: {}, when: 'detects(args.path, "secret")', then: 'deny' },
  ])
  assert.equal(bench.ask(streamedCallBy(caller)), 'permit')
})
