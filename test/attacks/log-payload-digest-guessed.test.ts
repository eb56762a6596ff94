// Whoever reads the log knows what a call can have said ("yes" or "no"), and tries which of these has the digest or the length that the entry tells.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { canonicalJson, type DecisionEvent } from '@sallyport/contract'
import { refund, startedCapturing } from '../fixtures/captured.ts'

const answers = ['yes', 'no', 'an answer that is longer']

function guessesFor(text: string): readonly string[] {
  const body = { answer: text }
  const all = { path: {}, query: {}, body }
  const payload = { upstream: 'payments', action: 'create_refund', resource: '/refunds', arguments: all }
  return [body, all, payload, { tenant: 'acme', payload }, text].map((value) => createHash('sha256').update(canonicalJson(value)).digest('base64url'))
}

async function decisions(mode: string): Promise<readonly DecisionEvent[]> {
  await using whole = await startedCapturing({ default: mode })
  for (const answer of answers) assert.equal(await refund(whole, { answer }), '200')
  return (await whole.events()).filter((event) => event.type === 'decision')
}

for (const mode of ['digest', 'sealed']) {
  test(`no digest in the log is one of a guess, with capture: ${mode}`, async () => {
    const made = await decisions(mode)
    assert.equal(made.length, answers.length)
    for (const { payload, call } of made) {
      assert.ok(payload)
      for (const guess of answers.flatMap(guessesFor)) assert.ok(guess !== payload.digest && guess !== call)
    }
  })
}

test('sealed arguments that are the same have digests that are not, and those of short ones lengths that are', async () => {
  const made = [...(await decisions('sealed')), ...(await decisions('sealed'))]
  assert.equal(new Set(made.map(({ payload }) => payload?.digest)).size, made.length)
  assert.equal(new Set(made.map(({ payload }) => payload?.bytes)).size, 1)
})

test('a digest alone tells no length, and is another at another gateway', async () => {
  const [here, there] = [await decisions('digest'), await decisions('digest')]
  assert.deepEqual(
    here.map(({ payload }) => payload?.bytes),
    answers.map(() => undefined),
  )
  assert.equal(new Set([...here, ...there].map(({ payload }) => payload?.digest)).size, 2 * answers.length)
})
