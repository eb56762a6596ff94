import { createCipheriv, createDecipheriv } from 'node:crypto'

export const sealingKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM under a fresh nonce; `boundTo` says which record it is, so that no record can stand in another's place. */
export function sealRecord(key: Uint8Array, randomBytes: (length: number) => Uint8Array, boundTo: string, text: string): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(boundTo))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws Error when the record was altered, belongs elsewhere, or the key is another */
export function openRecord(key: Uint8Array, boundTo: string, sealed: unknown): string {
  if (!(sealed instanceof Uint8Array) || sealed.length < nonceBytes + tagBytes) throw new RangeError('no sealed record')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(boundTo))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8')
}
