// Agents put credentials into arguments. Whatever is captured, none of it may reach the disk, not even sealed: whoever has the keys reads it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cited, filesWith, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'
import { credential } from '../fixtures/results.ts'

const body = { note: `the token is ${credential}`, [credential]: 1, nested: { text: JSON.stringify({ token: credential }) }, amount: 7 }
const marks = [credential, credential.slice(8, 30)]

for (const mode of ['off', 'digest', 'sealed']) {
  test(`a credential in the arguments is in no file of the gateway with capture: ${mode}`, async () => {
    await using whole = await startedCapturing({ default: mode })
    assert.equal(await refund(whole, body), '200')
    await whole.stop()
    assert.deepEqual(await filesWith(whole.data, marks), [])
  })
}

test('it is not in what was sealed either, and the rest is', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, body), '200')
  for (const { index } of await cited(whole)) {
    const { stdout } = await operator(whole, ['log', 'payload', String(index), '--json'])
    assert.ok(!marks.some((mark) => stdout.includes(mark)), stdout)
    assert.match(stdout, /the token is \[redacted secret\/github-token\]/)
    assert.match(stdout, /"amount": 7/)
  }
})

test('personal data is redacted where the configuration says so', async () => {
  await using whole = await startedCapturing({ default: 'sealed', redact: ['personal/credit-card'] })
  assert.equal(await refund(whole, { card: '4111 1111 1111 1111', to: 'me@example.com' }), '200')
  for (const { index } of await cited(whole)) {
    const { stdout } = await operator(whole, ['log', 'payload', String(index), '--json'])
    assert.match(stdout, /"card": "\[redacted personal\/credit-card\]"/)
    assert.match(stdout, /me@example\.com/)
  }
})
