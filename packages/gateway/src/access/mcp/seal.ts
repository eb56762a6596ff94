import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { parseJson, type Json } from '@sallyport/contract'

/** What a sealed text may be used for; a text sealed for one purpose does not open for another. */
export type SealPurpose = 'session' | 'server-request'

/** Longest sealed text that is opened: an upstream's session id of 1 KiB and the names around it. */
const sealedLengthMax = 4096
const nonceBytes = 12
const tagBytes = 16

/**
 * Seals a value so that the holder can neither read nor change it: AES-256-GCM, base64url. `key` is 32 bytes.
 *
 * Equal values give equal texts: the nonce is derived from key, purpose and value, so it never repeats for two different values.
 */
export function seal(key: Uint8Array, purpose: SealPurpose, value: Json): string {
  const text = Buffer.from(JSON.stringify(value))
  const nonce = createHmac('sha256', key).update(`sallyport/mcp/${purpose}\n`).update(text).digest().subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose))
  const sealed = Buffer.concat([cipher.update(text), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** Opens what `seal` made with the same key and purpose; undefined for anything else. */
export function openSealed(key: Uint8Array, purpose: SealPurpose, text: string): Json | undefined {
  if (text.length > sealedLengthMax || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length <= nonceBytes + tagBytes || bytes.toString('base64url') !== text) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const parsed = parseJson(Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]))
    return parsed.kind === 'parsed' ? parsed.value : undefined
  } catch {
    return undefined // not ours, or changed on the way: the tag does not fit
  }
}
