// A language model answers in parts, one an event: no event holds the credential, and the agent puts it together again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credential, deltaEvents, denySecrets, joinedDeltas, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const type = 'text/event-stream'
const parts = ['The token is ', credential.slice(0, 3), credential.slice(3, 4), credential.slice(4, 21), credential.slice(21), ', keep it.']

for (const [form, event] of Object.entries(deltaEvents)) {
  const pieces = [...parts.map(event), 'data: [DONE]\n\n']

  test(`a credential in the parts of a ${form} stream is found, and all events arrive`, async () => {
    const { body, facts } = await seeAnswer({ pieces, type }, [redactSecrets])
    assert.equal(joinedDeltas(body), `The token is ${redacted}, keep it.`)
    assert.equal(body.split('\n\n').length, pieces.length + 1)
    assert.deepEqual(facts?.found, [{ rule: 'no-secrets', detector: 'secret/github-token', count: 1 }])
  })

  test(`a ${form} stream that holds nothing passes byte for byte`, async () => {
    const harmless = ['The ', 'gh', 'ost ', 'of\nsk', '-8ing "x" \\ é'].map(event)
    const { body } = await seeAnswer({ pieces: harmless, type }, [redactSecrets])
    assert.equal(body, Buffer.from(harmless.join('')).toString('latin1'))
  })

  test(`a ${form} stream that is denied breaks off before the credential is whole`, async () => {
    const { body, broken, facts } = await seeAnswer({ pieces, type }, [denySecrets])
    assert.ok(broken)
    assert.equal(joinedDeltas(body), 'The token is ')
    assert.deepEqual([facts?.result, facts?.code], ['failed', 'policy.result-denied'])
  })
}

test('two answers in one stream are not mixed up', async () => {
  const event = (index: number, content: string): string => `data: ${JSON.stringify({ choices: [{ index, delta: { content } }] })}\n\n`
  const pieces = [event(0, credential.slice(0, 20)), event(1, 'nothing here. '), event(0, credential.slice(20)), event(1, 'Really.')]
  const { body } = await seeAnswer({ pieces, type }, [redactSecrets])
  assert.equal(joinedDeltas(body), `${redacted}nothing here. Really.`)
})

test('an event by itself is looked through, too, however it is cut', async () => {
  const stream = `id: 7\nevent: note\ndata: {"n":"${credential}"}\n\n: ping\n\ndata: a line with ${credential}\n\n`
  const { body } = await seeAnswer({ pieces: [...stream], type }, [redactSecrets])
  assert.equal(body, stream.replaceAll(credential, redacted))
})
