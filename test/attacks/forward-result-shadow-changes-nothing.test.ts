// A rule that is only being tried must not change what agents get, or the trial is an outage.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test } from 'node:test'
import { credential, denySecrets, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const shadow = [
  { ...redactSecrets, mode: 'shadow' },
  { ...denySecrets, binary: 'deny', mode: 'shadow' },
] as const
const body = `{"token":"${credential}","n":1}`

test('in shadow mode an answer passes as it is, and what is found is counted', async () => {
  const { body: seen, headers, facts } = await seeAnswer({ pieces: [...body], headers: `x-token: ${credential}\r\ncontent-digest: sha-256=:x:\r\n` }, shadow)
  assert.equal(seen, body)
  assert.equal(headers.get('x-token'), credential)
  assert.ok(headers.has('content-digest'))
  assert.deepEqual(facts?.found, [
    { rule: 'no-secrets', detector: 'secret/github-token', count: 2, shadow: true },
    { rule: 'never-secrets', detector: 'secret/github-token', count: 2, shadow: true },
  ])
})

test('in shadow mode a compressed answer and one that is no text pass unread', async () => {
  const compressed = gzipSync(body)
  const seen = await seeAnswer({ pieces: [compressed], headers: 'content-encoding: gzip\r\n' }, shadow)
  assert.equal(seen.body, compressed.toString('latin1'))
  assert.match(seen.request, /accept-encoding: identity/)
  assert.equal((await seeAnswer({ pieces: [body], type: 'image/png' }, shadow)).body, body)
})

test('a part of an answer can be asked for under a rule in shadow mode', async () => {
  const { request } = await seeAnswer({ pieces: [body] }, shadow, { headers: [['range', 'bytes=0-4']] })
  assert.match(request, /range: bytes=0-4/)
})
