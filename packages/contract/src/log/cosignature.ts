import { concatBytes } from './bytes.ts'
import type { LogCrypto, Sha256 } from './log-crypto.ts'
import { keyIdOf, keyText, parseKeyText, type Note, type NoteSignature } from './note.ts'

/** An Ed25519 key that cosigns checkpoints: whoever holds it says that it saw the log grow and nothing else. */
export interface CosignerKey {
  readonly name: string
  readonly keyId: string
  readonly publicKey: Uint8Array
  readonly isCosigner: true
}

export interface Cosignature {
  readonly key: CosignerKey
  /** Seconds since 1970. */
  readonly time: number
}

export type OpenedCosignatures =
  | { readonly kind: 'refused'; readonly reason: string }
  /** At most one for each key, in the order of the keys. */
  | { readonly kind: 'opened'; readonly cosignatures: readonly Cosignature[] }

/** The signature type of a timestamped Ed25519 cosignature. */
const cosignatureType = 0x04
const timeBytes = 8
const signatureBytes = 64

export function cosignerKey(name: string, publicKey: Uint8Array, sha256: Sha256): CosignerKey {
  return { name, keyId: keyIdOf(name, cosignatureType, publicKey, sha256), publicKey, isCosigner: true }
}

export function cosignerKeyText(key: CosignerKey): string {
  return keyText(key, cosignatureType)
}

/** Reads the vkey of a cosigner; undefined when it is malformed or of another type. */
export function parseCosignerKey(text: string, sha256: Sha256): CosignerKey | undefined {
  const key = parseKeyText(text, cosignatureType, sha256)
  return key && { ...key, isCosigner: true }
}

/** What a cosigner signs: that at this time (seconds since 1970) the tree of this checkpoint is the largest that it knows of the log. */
export function cosignedMessage(body: string, time: number): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${body}`)
}

/** The line's content, from the Ed25519 signature over `cosignedMessage`. */
export function cosignature({ name, keyId }: CosignerKey, time: number, signature: Uint8Array): NoteSignature {
  const stamp = new Uint8Array(timeBytes)
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time))
  return { name, keyId, signature: concatBytes([stamp, signature]) }
}

/**
 * Verifies the cosignatures of these keys on a note; lines of other keys are ignored.
 *
 * One that bears a key's name and id and does not verify spoils the whole note. A time of 0, which says nothing of when, does not verify, nor does one past 2^53
 * seconds, which no clock shows.
 *
 * @see https://c2sp.org/tlog-cosignature
 */
export function openCosignatures({ body, signatures }: Note, keys: readonly CosignerKey[], crypto: LogCrypto): OpenedCosignatures {
  const cosignatures: Cosignature[] = []
  for (const key of keys) {
    const own = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId)
    const times = own.map(({ signature }) => timeOf(signature, body, key, crypto))
    const verified = times.filter((time) => time !== undefined)
    if (verified.length < times.length) return { kind: 'refused', reason: `the cosignature of ${key.name} (key ${key.keyId}) does not fit the text` }
    if (verified.length > 0) cosignatures.push({ key, time: Math.max(...verified) })
  }
  return { kind: 'opened', cosignatures }
}

function timeOf(bytes: Uint8Array, body: string, { publicKey }: CosignerKey, crypto: LogCrypto): number | undefined {
  if (bytes.length !== timeBytes + signatureBytes) return undefined
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  if (!Number.isSafeInteger(time) || time === 0) return undefined
  return crypto.verifyEd25519(publicKey, cosignedMessage(body, time), bytes.subarray(timeBytes)) ? time : undefined
}
