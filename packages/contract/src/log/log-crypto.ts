/**
 * The two cryptographic functions that this folder needs, given by whoever uses it: Node's own in the gateway, pure JavaScript ones in a browser.
 */
export interface LogCrypto {
  /** SHA-256, 32 bytes that the caller may keep. */
  sha256(data: Uint8Array): Uint8Array
  /** True when `signature` is a strict Ed25519 signature (RFC 8032) of `message` by the raw 32-byte `publicKey`; false for anything else, never a throw. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

export type Sha256 = LogCrypto['sha256']
