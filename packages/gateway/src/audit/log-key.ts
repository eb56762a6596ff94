import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'
import { verifierKey, verifierKeyText, type LogCrypto, type VerifierKey } from '@sallyport/contract/log'

/** Signs the log's checkpoints. */
export interface LogSigner {
  /** Named for the log's origin. */
  readonly key: VerifierKey
  /** An Ed25519 signature, 64 bytes. @throws Fault when the key cannot be used now. */
  sign(message: Uint8Array): Promise<Uint8Array>
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

/** A signer over a private Ed25519 key in this process. `origin` names the log to the world, such as `gateway-1.example.com/sallyport`. */
export function ed25519Signer(privateKey: KeyObject, origin: string): LogSigner {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined) throw new TypeError('the log key must be an Ed25519 key')
  return {
    key: verifierKey(origin, Buffer.from(x, 'base64url'), nodeLogCrypto.sha256),
    sign: (message) => Promise.resolve(sign(null, message, privateKey)),
  }
}

/** The vkey by which anyone verifies the log. */
export function logKeyText(signer: LogSigner): string {
  return verifierKeyText(signer.key)
}

function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' })
}
