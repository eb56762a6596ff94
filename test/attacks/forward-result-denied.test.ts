// A denied answer must not be half an answer: nothing of it leaves when it is denied in time, and no agent takes the rest for the whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credential, denySecrets, redactSecrets, seeAnswer } from '../fixtures/results.ts'

test('an answer with something to deny near its beginning is refused, whatever comes before it', async () => {
  for (const pieces of [[credential], ['x'.repeat(60_000), `\n${credential}`], [...`{"a":"b","t":"${credential}"}`]]) {
    const seen = await seeAnswer({ pieces, type: 'text/plain' }, [denySecrets])
    assert.deepEqual([seen.code, seen.body, seen.facts?.result, seen.facts?.status], ['policy.result-denied', '', 'refused', 200])
    assert.deepEqual(seen.facts?.found, [{ rule: 'never-secrets', detector: 'secret/github-token', count: 1 }])
  }
})

test('an answer that has begun breaks off before what is denied', async () => {
  const pieces = Array.from({ length: 30 }, () => `${'word '.repeat(1000)}\n`)
  const { body, broken, facts } = await seeAnswer({ pieces: [...pieces, credential, 'more'], type: 'text/plain' }, [denySecrets])
  assert.ok(broken)
  assert.equal(body, pieces.join(''))
  assert.deepEqual([facts?.result, facts?.code], ['failed', 'policy.result-denied'])
})

test('a header field is an answer, too', async () => {
  const headers = `location: https://example.com/?token=${credential}\r\n`
  assert.equal((await seeAnswer({ pieces: ['x'], headers }, [denySecrets])).code, 'policy.result-denied')
  const { headers: seen } = await seeAnswer({ pieces: [], status: '302 Found', headers }, [redactSecrets], { method: 'HEAD' })
  assert.equal(seen.get('location'), 'https://example.com/?token=[redacted secret/github-token]')
})

test('deny wins over redact, and rules about other upstreams and agents do nothing', async () => {
  const pieces = [credential]
  assert.equal((await seeAnswer({ pieces }, [redactSecrets, denySecrets])).code, 'policy.result-denied')
  for (const match of [{ upstream: 'files' }, { agent: 'other-*' }, { tenant: 'other' }, { action: 'other' }])
    assert.equal((await seeAnswer({ pieces }, [{ ...denySecrets, match }])).body, credential)
})
