// The log forgets nothing. A rule that looks for credentials must not be what brings them there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'
import { privateKeys } from '../fixtures/findings.ts'
import { credential } from '../fixtures/results.ts'

const caller = await principalOf('acme', 'invoice-bot')

function groundsOf(when: string, args: Json): string {
  const bench = new Bench([
    { id: 'all', match: {}, then: 'permit' },
    { id: 'rule', match: {}, when, then: 'deny' },
  ])
  const decision = bench.decide(callBy(caller, { args }))
  assert.equal(decision.kind, 'deny')
  return JSON.stringify(decision.grounds)
}

test('what a detection looks at is no fact', () => {
  const written = groundsOf('detects(args.text, "secret")', { text: credential })
  assert.doesNotMatch(written, /ghp_|zQWBu|"args\.text":/)
  assert.match(written, /"detector":"secret\/github-token","path":"args\.text","count":1/)
})

test('a fact that holds a credential is written without it, also by a rule that looks for none', () => {
  for (const when of ['args.text.startsWith("a")', 'detects(args.text, "secret") && args.text.contains("a")', 'detects(args, "secret") && args.text != ""']) {
    const written = groundsOf(`${when} || args.always`, { text: `a token ${credential} and ${'x'.repeat(300)}`, always: true })
    assert.doesNotMatch(written, /ghp_|zQWBu/, when)
  }
})

test('a credential that the cut of a long fact divides is not written in part', () => {
  const [pem = ''] = privateKeys
  for (const secret of [credential, pem]) {
    for (const before of [216, 230, 255, 1020, 1000]) {
      const written = groundsOf('args.text.contains("tail")', { text: `${'y'.repeat(before - 1)} ${secret} tail` })
      assert.doesNotMatch(written, /ghp_|BEGIN|zQWBu/)
    }
  }
})

test('personal data that a rule detects is not written by another part of it', () => {
  const args = { to: 'me@example.com', card: 4111111111111111 }
  const written = groundsOf('detects(args, "personal") && args.to.contains("@") && args.card > 1', args)
  assert.doesNotMatch(written, /me@example|41111/)
})

test('what a rule reads that detects nothing stays readable', () => {
  assert.match(groundsOf('args.to.endsWith("@example.com")', { to: 'me@example.com' }), /"args\.to":"me@example\.com"/)
})
