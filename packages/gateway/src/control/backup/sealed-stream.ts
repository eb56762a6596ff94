import { createCipheriv, createDecipheriv, scrypt, type CipherGCMTypes } from 'node:crypto'
import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { ByteReader } from './byte-reader.ts'

/** The first line of a sealed file. */
export const sealedMagic = 'sallyport-backup/1'
const cipherName: CipherGCMTypes = 'aes-256-gcm'
const chunkBytes = 65_536
const tagBytes = 16
const saltBytes = 32
const headLineMax = 512

/** About 128 MiB and some tenths of a second for each guess. @see RFC 7914 section 2 */
const costDefault = 2 ** 17
const blocks = { r: 8, p: 1 } as const
/** What a file may ask of whoever opens it. */
const costMax = 2 ** 20

/** A shorter one is guessed sooner than whoever keeps the file would like. */
export const passphraseLengthMin = 12

const head = z.strictObject({
  kdf: z.literal('scrypt'),
  n: z
    .number()
    .int()
    .min(2 ** 14)
    .max(costMax)
    .refine((n) => Number.isInteger(Math.log2(n))),
  r: z.literal(8),
  p: z.literal(1),
  salt: z.base64url().length(43),
})

/**
 * Seals a stream under a passphrase, so that whoever has only the file learns nothing but its length and changes nothing unnoticed.
 *
 * The key is scrypt over a fresh salt. The content is cut into chunks of 64 KiB, each sealed with AES-256-GCM under its number and whether it is the last, with
 * the head as additional data: chunks cannot be altered, moved, left out or cut off. The number never repeats, since the key is new for each file.
 *
 * @see docs/operate/backup.md
 * @see Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance (CRYPTO 2015), the STREAM construction
 */
export async function* sealStream(
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
  randomBytes: (length: number) => Uint8Array,
  cost = costDefault,
): AsyncGenerator<Uint8Array> {
  const salt = Buffer.from(randomBytes(saltBytes))
  const first = Buffer.from(`${sealedMagic}\n${JSON.stringify({ kdf: 'scrypt', n: cost, ...blocks, salt: salt.toString('base64url') })}\n`)
  const key = await keyOf(passphrase, salt, cost)
  yield first
  for await (const { chunk, number, isLast } of chunksOf(new ByteReader(source), chunkBytes)) {
    const cipher = createCipheriv(cipherName, key, nonceOf(number, isLast), { authTagLength: tagBytes })
    cipher.setAAD(first)
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
  }
}

/**
 * Opens what `sealStream` made. Nothing is handed on that was not checked; only the end of the iteration says that the content is whole.
 *
 * @throws Fault `not-done` when the passphrase is wrong, or the file was altered or cut
 */
export async function* openStream(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source)
  const lines = [await reader.line(headLineMax), await reader.line(headLineMax)] as const
  const { n, salt } = parseHead(lines)
  const key = await keyOf(passphrase, Buffer.from(salt, 'base64url'), n)
  for await (const { chunk, number, isLast } of chunksOf(reader, chunkBytes + tagBytes)) {
    yield openChunk(key, Buffer.from(`${lines.join('\n')}\n`), chunk, number, isLast)
  }
}

function openChunk(key: Uint8Array, first: Uint8Array, chunk: Buffer, number: number, isLast: boolean): Uint8Array {
  try {
    const decipher = createDecipheriv(cipherName, key, nonceOf(number, isLast), { authTagLength: tagBytes })
    decipher.setAAD(first)
    decipher.setAuthTag(chunk.subarray(-tagBytes))
    return Buffer.concat([decipher.update(chunk.subarray(0, -tagBytes)), decipher.final()])
  } catch (error) {
    const what =
      number === 0 ? 'the passphrase is not the one of this file, or the file was altered' : `the file was altered or cut, in or after chunk ${number}`
    throw new Fault(what, 'not-done', error)
  }
}

function parseHead([magic, text]: readonly [string, string]): z.infer<typeof head> {
  if (magic !== sealedMagic) throw new Fault('the file is no sealed backup of Sallyport', 'not-done')
  try {
    return head.parse(JSON.parse(text))
  } catch (error) {
    throw new Fault('the head of the file is damaged', 'not-done', error)
  }
}

/** Normalised, so that the same letters typed on another system are the same passphrase. @see RFC 8265 section 4.2 */
function keyOf(passphrase: string, salt: Uint8Array, n: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const { r, p } = blocks
    scrypt(passphrase.normalize('NFC'), salt, 32, { N: n, r, p, maxmem: 256 * n * r }, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function nonceOf(number: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(number), 3)
  nonce.writeUInt8(isLast ? 1 : 0, 11)
  return nonce
}

/** One chunk ahead, to know the last. */
async function* chunksOf(reader: ByteReader, length: number): AsyncGenerator<{ readonly chunk: Buffer; readonly number: number; readonly isLast: boolean }> {
  let chunk = await reader.takeUpTo(length)
  for (let number = 0; ; number += 1) {
    const next = await reader.takeUpTo(length)
    yield { chunk, number, isLast: next.length === 0 }
    if (next.length === 0) return
    chunk = next
  }
}
