// Nothing comes after the last byte that could complete a finding or rule it out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privateKeys } from '../fixtures/findings.ts'
import { credential, denySecrets, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

for (const type of ['text/plain', 'application/json', 'text/event-stream', '']) {
  test(`a credential that ends an answer of type ${type || 'unknown'} is found`, async () => {
    const { body } = await seeAnswer({ pieces: ['data: token ', credential.slice(0, 10), credential.slice(10)], type }, [redactSecrets])
    assert.equal(body.replaceAll('"', ''), `data: token ${redacted}`)
  })
}

test('a private key that breaks off is found', async () => {
  const [pem = ''] = privateKeys
  const { body } = await seeAnswer({ pieces: ['key:\n', pem.slice(0, 60), pem.slice(60, 150)], type: 'text/plain' }, [redactSecrets])
  assert.equal(body, 'key:\n[redacted secret/private-key]')
})

test('what only begins like a finding passes at the end', async () => {
  for (const tail of ['ghp_', credential.slice(0, -1), '-----BEGIN PRIVATE KEY-----\nMII', '\\u00', '%4', 'eyJ'])
    assert.equal((await seeAnswer({ pieces: ['x ', tail], type: 'text/plain' }, [denySecrets])).body, `x ${tail}`)
})
