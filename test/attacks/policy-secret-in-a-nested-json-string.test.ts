// Arguments carry texts, texts carry JSON, and that JSON carries texts: each level can escape what the one below it says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'
import { credential } from '../fixtures/results.ts'

const caller = await principalOf('acme', 'invoice-bot')
const bench = new Bench([
  { id: 'all', match: {}, then: 'permit' },
  { id: 'no-secrets-out', match: {}, when: 'detects(args, "secret")', then: 'deny' },
])

const escaped = Array.from(credential, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

for (const [where, args] of Object.entries({
  'a string': { text: `see ${credential}` },
  'a list in an object': { a: [{ b: [1, null, true, credential] }] },
  'a JSON string': { body: JSON.stringify({ token: credential }) },
  'a JSON string in a JSON string': { body: JSON.stringify({ inner: JSON.stringify({ token: credential }) }) },
  'escapes in a JSON string': { body: `{"token":"${escaped}"}` },
  'escapes in a JSON string in a JSON string': { body: JSON.stringify({ inner: `{"token":"${escaped}"}` }) },
  'base64 in a JSON string': { body: JSON.stringify({ file: Buffer.from(`TOKEN=${credential}`).toString('base64') }) },
  'a query in a URL in a JSON string': { body: JSON.stringify({ url: `https://example.com/?q=${encodeURIComponent(JSON.stringify({ t: credential }))}` }) },
})) {
  test(`a credential in ${where} is detected`, () => assert.equal(bench.ask(callBy(caller, { args })), 'policy.denied'))
}

test('a call without one is permitted, and what cannot be looked through as a whole is denied', () => {
  assert.equal(bench.ask(callBy(caller, { args: { text: 'nothing here', n: 7, more: [null, true, {}] } })), 'permit')
  const decision = bench.decide(callBy(caller, { args: { text: 'word '.repeat(100_000) } }))
  assert.equal(decision.kind === 'deny' && decision.problem.code, 'policy.denied')
  assert.match(decision.grounds.reason ?? '', /no-secrets-out cannot be evaluated: .*costs too much/)
})
