// Whoever looks at values only does not see a credential that is sent as a key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'
import { credential, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const caller = await principalOf('acme', 'invoice-bot')
const bench = new Bench([
  { id: 'all', match: {}, then: 'permit' },
  { id: 'no-secrets-out', match: {}, when: 'detects(args.body, "secret") || detects(args.body, "personal/credit-card")', then: 'deny' },
])

test('a credential that is the name of a member is detected, however deep', () => {
  const deep: Json = { a: [{ b: { [credential]: true } }] }
  for (const body of [{ [credential]: 1 }, deep, { ['4111111111111111']: '' }]) assert.equal(bench.ask(callBy(caller, { args: { body } })), 'policy.denied')
})

test('the log tells where it was found without repeating it', () => {
  const args = { body: { [credential]: { note: credential }, items: [{ card: 4111111111111111 }] } }
  const { grounds } = bench.decide(callBy(caller, { args }))
  assert.deepEqual(grounds.found, [
    { detector: 'secret/github-token', path: 'args.body.*', count: 1 },
    { detector: 'secret/github-token', path: 'args.body.*.note', count: 1 },
    { detector: 'personal/credit-card', path: 'args.body.items.card', count: 1 },
  ])
})

test('in an answer the name of a member is redacted, too', async () => {
  const { body } = await seeAnswer({ pieces: [JSON.stringify({ [credential]: 1, b: 2 })] }, [redactSecrets])
  assert.deepEqual(JSON.parse(body), { [redacted]: 1, b: 2 })
})
