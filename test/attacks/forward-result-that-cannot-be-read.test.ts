// What cannot be read cannot be looked through: compressed, in part, in other bytes than text.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test } from 'node:test'
import { credential, denySecrets, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const utf16 = Buffer.from(`\ufeff${credential}`, 'utf16le')
const denyUnread = { ...denySecrets, binary: 'deny' } as const

test('an answer is asked for whole and uncompressed, and refused when it is not', async () => {
  const headers = [
    ['accept-encoding', 'gzip, br'],
    ['range', 'bytes=0-9'],
  ] as const
  const { request, body } = await seeAnswer({ pieces: [`{"t":"${credential}"}`] }, [redactSecrets], { headers })
  assert.match(request, /accept-encoding: identity/)
  assert.doesNotMatch(request, /gzip|range/)
  assert.equal(body, `{"t":"${redacted}"}`)
  const compressed = await seeAnswer({ pieces: [gzipSync(credential)], headers: 'content-encoding: gzip\r\n' }, [redactSecrets])
  assert.deepEqual([compressed.code, compressed.body], ['forward.upstream-failed', ''])
  const part = await seeAnswer({ pieces: [credential.slice(0, 9)], status: '206 Partial Content' }, [redactSecrets])
  assert.deepEqual([part.code, part.body], ['forward.upstream-failed', ''])
})

test('what is no text passes, and is denied where the rule says so', async () => {
  for (const type of ['image/png', 'application/octet-stream', 'text/plain; charset=utf-16']) {
    const pieces = [`\u0089PNG ${credential}`]
    assert.match((await seeAnswer({ pieces, type }, [denySecrets])).body, /ghp_/)
    const { code, body, facts } = await seeAnswer({ pieces, type }, [denyUnread])
    assert.deepEqual([code, body, facts?.result], ['policy.result-denied', '', 'refused'])
  }
})

test('a byte order mark of UTF-16 makes a text one that cannot be read', async () => {
  assert.equal((await seeAnswer({ pieces: [utf16], type: 'text/plain' }, [denySecrets])).body, utf16.toString('latin1'))
  for (const pieces of [[utf16], [utf16.subarray(0, 1), utf16.subarray(1)]])
    assert.equal((await seeAnswer({ pieces, type: 'text/plain' }, [denyUnread])).code, 'policy.result-denied')
})

test('a digest of the answer does not outlive its redaction', async () => {
  const digests = 'content-digest: sha-256=:x:\r\nrepr-digest: sha-256=:x:\r\netag: "1"\r\n'
  const { headers } = await seeAnswer({ pieces: ['x'], headers: digests }, [redactSecrets])
  assert.deepEqual(
    [...headers.keys()].filter((name) => /digest|etag/.test(name)),
    ['etag'],
  )
})
