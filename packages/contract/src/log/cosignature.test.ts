import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, hash, sign, verify, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { toBase64 } from './bytes.ts'
import { cosignature, cosignedMessage, cosignerKey, cosignerKeyText, openCosignatures, parseCosignerKey, type CosignerKey } from './cosignature.ts'
import type { LogCrypto } from './log-crypto.ts'
import { noteText, parseNote, parseVerifierKey, type Note, type NoteSignature } from './note.ts'

const crypto: LogCrypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  verifyEd25519: (publicKey, message, signature) =>
    verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature),
}
const body = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const time = 1_679_315_147

function newCosigner(name: string): { key: CosignerKey; privateKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  return { key: cosignerKey(name, Buffer.from(x, 'base64url'), crypto.sha256), privateKey }
}

const { key, privateKey } = newCosigner('witness.example.com/w1')

function signed(at: number, text = body): NoteSignature {
  return cosignature(key, at, sign(null, cosignedMessage(text, at), privateKey))
}

function note(...signatures: readonly NoteSignature[]): Note {
  return parseNote(noteText(body, signatures)) ?? assert.fail()
}

test('the message and the line are those of the specification', () => {
  assert.equal(Buffer.from(cosignedMessage(body, time)).toString(), `cosignature/v1\ntime 1679315147\n${body}`)
  const line = signed(time)
  assert.equal(line.signature.length, 8 + 64)
  assert.equal(Buffer.from(line.signature).readBigUInt64BE(), 1_679_315_147n)
  // The line of the example has this key id and this time in front of its signature.
  const example = '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'
  const [parsed] = parseNote(`${body}\n${example}`)?.signatures ?? []
  assert.equal(parsed?.keyId, '8d66cf3f')
  assert.equal(Buffer.from(parsed.signature).readBigUInt64BE(), 1_679_315_147n)
})

test('a cosignature is opened by its key alone, whatever stands beside it', () => {
  const other = newCosigner('witness.example.com/w2')
  assert.deepEqual(openCosignatures(note(signed(time)), [key, other.key], crypto), { kind: 'opened', cosignatures: [{ key, time }] })
  assert.deepEqual(openCosignatures(note(signed(time)), [other.key], crypto), { kind: 'opened', cosignatures: [] })
  const twice = openCosignatures(note(signed(time), signed(time + 1)), [key], crypto)
  assert.deepEqual(twice, { kind: 'opened', cosignatures: [{ key, time: time + 1 }] })
})

test('a cosignature of another text, another time, no time or another length spoils the note', () => {
  const good = signed(time)
  const shifted = cosignature(key, time + 1, good.signature.subarray(8))
  const { name, keyId } = key
  const wrong = [signed(time, body.replace('20852163', '20852164')), shifted, signed(0), { name, keyId, signature: good.signature.subarray(8) }]
  for (const line of wrong) assert.equal(openCosignatures(note(good, line), [key], crypto).kind, 'refused')
  const late = Buffer.from(good.signature)
  late.writeBigUInt64BE(2n ** 63n)
  assert.equal(openCosignatures(note({ name, keyId, signature: late }), [key], crypto).kind, 'refused')
})

test('the vkey of a cosigner is read back, is not that of a log, and is no key that anyone can sign with', () => {
  const text = cosignerKeyText(key)
  assert.deepEqual(parseCosignerKey(text, crypto.sha256)?.keyId, key.keyId)
  assert.equal(parseVerifierKey(text, crypto.sha256), undefined)
  assert.equal(parseCosignerKey(text.replace('w1', 'w2'), crypto.sha256), undefined)
  const weak = ['00'.repeat(32), `01${'00'.repeat(31)}`, `01${'00'.repeat(30)}80`, `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, 'ff'.repeat(32)]
  for (const hex of weak) {
    const publicKey = Buffer.from(hex, 'hex')
    const vkey = cosignerKeyText(cosignerKey('weak', publicKey, crypto.sha256))
    assert.equal(parseCosignerKey(vkey, crypto.sha256), undefined, `${hex} ${toBase64(publicKey)}`)
  }
})
