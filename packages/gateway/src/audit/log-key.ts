import { createHmac, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'
import { parseVerifierKey, verifierKey, verifierKeyText, type LogCrypto, type VerifierKey } from '@sallyport/contract/log'

/** Signs the log's checkpoints, and marks as the gateway's own what no checkpoint covers yet. */
export interface LogSigner {
  /** Named for the log's origin. */
  readonly key: VerifierKey
  /** An Ed25519 signature, 64 bytes. @throws Fault when the key cannot be used now. */
  sign(message: Uint8Array): Promise<Uint8Array>
  /** HMAC-SHA-256 over all parts in a row. @see RFC 2104 */
  authenticate(...parts: readonly Uint8Array[]): Uint8Array
}

/** Node's cryptography for the log's formats. */
export const nodeLogCrypto: LogCrypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  verifyEd25519: (publicKey, message, signature) => {
    try {
      return verify(null, message, ed25519PublicKey(publicKey), signature)
    } catch {
      return false // not a point of the curve
    }
  },
}

export interface LogKey {
  /** Ed25519. */
  readonly privateKey: KeyObject
  /** Names the log to the world, such as `agents.example.com/gateway-1`. */
  readonly origin: string
}

/**
 * A signer over a private Ed25519 key in this process.
 *
 * @param journalKey at least 32 bytes, for `authenticate`
 */
export function ed25519Signer(logKey: LogKey, journalKey: KeyObject): LogSigner {
  return {
    key: verifierKeyOf(logKey),
    sign: (message) => Promise.resolve(sign(null, message, logKey.privateKey)),
    authenticate: (...parts) => {
      const mac = createHmac('sha256', journalKey)
      for (const part of parts) mac.update(part)
      return mac.digest()
    },
  }
}

export function verifierKeyOf({ privateKey, origin }: LogKey): VerifierKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined) throw new TypeError('the log key must be an Ed25519 key')
  return verifierKey(origin, Buffer.from(x, 'base64url'), nodeLogCrypto.sha256)
}

/** The vkey by which anyone verifies the log. */
export function logKeyText({ key }: Pick<LogSigner, 'key'>): string {
  return verifierKeyText(key)
}

/** The key behind a text that `logKeyText` made. */
export function logKeyOf(text: string): VerifierKey {
  const key = parseVerifierKey(text, nodeLogCrypto.sha256)
  if (!key) throw new TypeError('not a key of a log')
  return key
}

function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' })
}
