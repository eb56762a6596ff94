import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cosignerKey, cosignerKeyText, parseCosignerKey, parsePolicy, parseVerifierKey, verifierKey, verifierKeyText } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'

const { sha256 } = nodeLogCrypto
/**
 * The neutral point of the curve: with R neutral and S zero the equation of a signature holds for every text. OpenSSL refuses it, other libraries that verifiers use do not
 * (RFC 8032 does not ask it).
 */
const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])

test('an operator gives out a key under which anyone can sign, to deny later what the log says: no verifier takes it, for a log or a witness [L5]', () => {
  const key = verifierKey('log.example', neutral, sha256)
  assert.equal(parseVerifierKey(verifierKeyText(key), sha256), undefined)
  const cosigner = cosignerKeyText(cosignerKey('witness.example', neutral, sha256))
  assert.equal(parseCosignerKey(cosigner, sha256), undefined)
  const policy = parsePolicy(Buffer.from(`log ${verifierKeyText(key)}\nquorum none\n`), sha256)
  assert.deepEqual(policy, { kind: 'refused', line: 1, reason: 'its key is no Ed25519 key of a log (name+id+key)' })
})
