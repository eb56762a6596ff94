import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { openCheckpoint, parseCheckpointBody } from './checkpoint.ts'
import type { LogCrypto } from './log-crypto.ts'
import { noteText, openNote, parseNote, parseVerifierKey, verifierKeyText } from './note.ts'

const crypto: LogCrypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  verifyEd25519: (publicKey, message, signature) =>
    verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature),
}

// The published example of golang.org/x/mod/sumdb/note, whose key every implementation of the format is tested with.
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1)
const body = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const line = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'

const key = parseVerifierKey(vkey, crypto.sha256) ?? assert.fail()
const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' })

test('the published key and note are read, verified and written byte for byte', () => {
  assert.equal(key.name, 'PeterNeumann')
  assert.equal(key.keyId, 'c74f20a3')
  assert.equal(verifierKeyText(key), vkey)
  assert.deepEqual(openNote(`${body}\n${line}`, key, crypto), { kind: 'opened', body })
  const signature = sign(null, Buffer.from(body), privateKey)
  assert.equal(noteText(body, [{ name: key.name, keyId: key.keyId, signature }]), `${body}\n${line}`)
})

test('a key with any character missing or changed is refused', () => {
  for (let from = 0; from < vkey.length; from += 1) {
    assert.equal(parseVerifierKey(vkey.slice(0, from), crypto.sha256), undefined)
    assert.equal(parseVerifierKey(vkey.slice(from + 1), crypto.sha256), undefined)
    const changed = vkey.slice(0, from) + String.fromCharCode(vkey.charCodeAt(from) + 1) + vkey.slice(from + 1)
    assert.equal(parseVerifierKey(changed, crypto.sha256), undefined, changed)
  }
})

test('signatures by strangers are ignored, an own one that does not verify is not', () => {
  const stranger = line.replace('PeterNeumann', 'EnochRoot')
  const forged = line.replace('x08go/ZJ', 'x08go/ZK')
  assert.equal(openNote(`${body}\n${stranger}${line}`, key, crypto).kind, 'opened')
  assert.equal(openNote(`${body}\n${stranger}`, key, crypto).kind, 'refused')
  assert.equal(openNote(`${body}\n${forged}`, key, crypto).kind, 'refused')
  assert.equal(openNote(`${body}\n${line}${forged}`, key, crypto).kind, 'refused')
  assert.equal(openNote(`${body.replace('answer', 'Answer')}\n${line}`, key, crypto).kind, 'refused')
})

test('what is not exactly a note is refused', () => {
  const notes = [
    '',
    body,
    `${body}\n`,
    `${body}${line}`,
    `${body}\n${line.slice(0, -1)}`,
    `${body}\n${line}\n`,
    `${body}\n${line.replace('—', '-')}`,
    `${body}\n${line.replace('— ', '—')}`,
    `${body}\n${line.replace('\n', ' x\n')}`,
    `${body}\n${line.replace('Peter', 'Pe+ter')}`,
    `${body}\n${line.replace('AM=', 'AN=')}`, // non-canonical base64
    `${body}\n— PeterNeumann x08gow==\n`, // a key id and no signature
    `${body.replace('think', 'th\tink')}\n${line}`,
    `${body.replace('think', 'th\rink')}\n${line}`,
    `\ud800${body}\n${line}`,
  ]
  for (const note of notes) assert.equal(parseNote(note), undefined, JSON.stringify(note))
  // The last blank line divides, so that a body may have its own.
  assert.equal(parseNote(`a\n\nb\n\n${line}`)?.body, 'a\n\nb\n')
})

test('checkpoint bodies have one spelling', () => {
  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
  assert.equal(parseCheckpointBody(`example.com/behind-the-sofa\n20852163\n${root}\n`)?.size, 20_852_163)
  assert.equal(parseCheckpointBody(`a\n0\n${root}\nextension\n`)?.size, 0)
  const refused = [
    `\n1\n${root}\n`,
    `a\n01\n${root}\n`,
    `a\n-1\n${root}\n`,
    `a\n+1\n${root}\n`,
    `a\n1e3\n${root}\n`,
    `a\n9007199254740992\n${root}\n`,
    `a\n1\n${root}`,
    `a\n1\n${root.slice(0, -1)}\n`,
    `a\n1\nAAAA\n`,
    `a\n1\n`,
    `a\n1\n${root}\n\nextension\n`,
  ]
  for (const text of refused) assert.equal(parseCheckpointBody(text), undefined, JSON.stringify(text))
})

test('a checkpoint under the right key but for another log is refused', () => {
  const text = `other.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`
  const signed = noteText(text, [{ name: key.name, keyId: key.keyId, signature: sign(null, Buffer.from(text), privateKey) }])
  assert.equal(openCheckpoint(signed, key, crypto).kind, 'refused')
})
