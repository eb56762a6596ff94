import { concatBytes, fromBase64, toBase64, toHex } from './bytes.ts'
import { isStrongPoint } from './ed25519-point.ts'
import type { LogCrypto, Sha256 } from './log-crypto.ts'

export interface NoteSignature {
  readonly name: string
  /** Four bytes in hexadecimal; together with the name, a hint which key to try. */
  readonly keyId: string
  readonly signature: Uint8Array
}

export interface Note {
  /** What is signed, its last newline included. */
  readonly body: string
  readonly signatures: readonly NoteSignature[]
}

/** An Ed25519 key that signs notes. */
export interface VerifierKey {
  readonly name: string
  readonly keyId: string
  readonly publicKey: Uint8Array
}

export type OpenedNote = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'opened'; readonly body: string }

/** The signature type of a plain Ed25519 signature. */
const ed25519Type = 0x01
const publicKeyBytes = 32
const keyIdBytes = 4
/** Longer notes, and notes with more signatures, are refused unread. */
export const noteUnitsMax = 1_000_000
export const noteSignaturesMax = 100

/**
 * Splits a signed note into its body and its signatures, which it does not verify.
 *
 * Undefined for anything that is not exactly a note: control characters, no blank line, a malformed signature line, non-canonical base64.
 *
 * @see https://c2sp.org/signed-note
 */
export function parseNote(text: string): Note | undefined {
  // oxlint-disable-next-line no-control-regex -- the specification forbids them
  if (text.length > noteUnitsMax || !text.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(text)) return undefined
  const split = text.lastIndexOf('\n\n')
  if (split < 0 || !text.endsWith('\n')) return undefined
  const lines = text.slice(split + 2, -1).split('\n')
  if (lines.length > noteSignaturesMax) return undefined
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignatureLine(line)
    if (!signature) return undefined
    signatures.push(signature)
  }
  return { body: text.slice(0, split + 1), signatures }
}

/**
 * Verifies a note against a key, or against several of which one must have signed.
 *
 * Signatures by other keys are ignored. A note that none of the keys signed, or that carries a signature under the name and id of one that does not verify,
 * is refused.
 */
export function openNote(text: string, trusted: VerifierKey | readonly VerifierKey[], crypto: LogCrypto): OpenedNote {
  const note = parseNote(text)
  if (!note) return { kind: 'refused', reason: 'it is not a signed note' }
  const message = new TextEncoder().encode(note.body)
  const keys = 'publicKey' in trusted ? [trusted] : trusted
  let isSigned = false
  for (const key of keys) {
    const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId)
    if (!own.every(({ signature }) => crypto.verifyEd25519(key.publicKey, message, signature))) {
      return { kind: 'refused', reason: `the signature of ${key.name} (key ${key.keyId}) does not fit the text` }
    }
    isSigned ||= own.length > 0
  }
  if (isSigned) return { kind: 'opened', body: note.body }
  return { kind: 'refused', reason: `it is not signed by ${keys.map(({ name, keyId }) => `${name} (key ${keyId})`).join(' or ')}` }
}

/** Writes a signed note; the body ends with a newline. */
export function noteText(body: string, signatures: readonly NoteSignature[]): string {
  return `${body}\n${signatures.map(signatureLine).join('')}`
}

export function signatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = Uint8Array.from(keyId.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  return `— ${name} ${toBase64(concatBytes([id, signature]))}\n`
}

/** A key from its name and raw public key. */
export function verifierKey(name: string, publicKey: Uint8Array, sha256: Sha256): VerifierKey {
  return { name, keyId: keyIdOf(name, ed25519Type, publicKey, sha256), publicKey }
}

/** The text form of a key, a "vkey", to be handed to whoever verifies. */
export function verifierKeyText(key: VerifierKey): string {
  return keyText(key, ed25519Type)
}

/** Reads a vkey; undefined when it is malformed, of another type than Ed25519, or its id does not belong to its name and key. */
export function parseVerifierKey(text: string, sha256: Sha256): VerifierKey | undefined {
  return parseKeyText(text, ed25519Type, sha256)
}

/** What the id of a key covers: its name, the byte of its signature type, and its public key. @see https://c2sp.org/signed-note */
export function keyIdOf(name: string, type: number, publicKey: Uint8Array, sha256: Sha256): string {
  if (!isKeyName(name) || publicKey.length !== publicKeyBytes) throw new TypeError('a note key needs a name without spaces or plus signs and 32 bytes')
  const hashed = sha256(concatBytes([new TextEncoder().encode(`${name}\n`), Uint8Array.of(type), publicKey]))
  return toHex(hashed.subarray(0, keyIdBytes))
}

export function keyText({ name, keyId, publicKey }: VerifierKey, type: number): string {
  return `${name}+${keyId}+${toBase64(concatBytes([Uint8Array.of(type), publicKey]))}`
}

/** Undefined too for a key under which anyone can sign: its owner could say of any signature that it was somebody else's. */
export function parseKeyText(text: string, type: number, sha256: Sha256): VerifierKey | undefined {
  const [, name = '', keyId = '', material = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/su.exec(text) ?? []
  const bytes = fromBase64(material)
  if (!isKeyName(name) || bytes?.length !== 1 + publicKeyBytes || bytes[0] !== type) return undefined
  const publicKey = bytes.slice(1)
  return isStrongPoint(publicKey) && keyIdOf(name, type, publicKey, sha256) === keyId ? { name, keyId, publicKey } : undefined
}

export function isKeyName(name: string): boolean {
  return name.isWellFormed() && /^[^\s+]{1,255}$/u.test(name)
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name, blob, ...rest] = line.split(' ')
  if (dash !== '—' || name === undefined || !isKeyName(name) || blob === undefined || rest.length > 0) return undefined
  const bytes = fromBase64(blob)
  if (!bytes || bytes.length <= keyIdBytes) return undefined
  return { name, keyId: toHex(bytes.subarray(0, keyIdBytes)), signature: bytes.slice(keyIdBytes) }
}
