// The chunks of an answer are the upstream's to choose, and an answer is rarely cut where a credential begins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credential, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const body = JSON.stringify({ before: 'x', token: credential, after: 'y' })
const expected = JSON.stringify({ before: 'x', token: redacted, after: 'y' })

test('a credential is found wherever two chunks meet in it', async () => {
  const at = body.indexOf(credential)
  for (let cut = at - 1; cut <= at + credential.length + 1; cut += 4) {
    const { body: seen } = await seeAnswer({ pieces: [body.slice(0, cut), body.slice(cut)] }, [redactSecrets])
    assert.equal(seen, expected, `cut at ${cut - at}`)
  }
})

test('a credential is found when every byte comes by itself', async () => {
  const { body: seen, facts } = await seeAnswer({ pieces: [...body] }, [redactSecrets])
  assert.equal(seen, expected)
  assert.deepEqual(facts?.found, [{ rule: 'no-secrets', detector: 'secret/github-token', count: 1 }])
})
