import { crc32 } from 'node:zlib'

const base62Digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** CRC-32 as GitHub and npm write it at the end of their tokens: six digits of base 62. @see GitHub Engineering, Behind GitHub's new authentication token formats (2021) */
export function base62Crc32(text: string): string {
  let rest = crc32(text)
  let written = ''
  for (let digit = 0; digit < 6; digit += 1) {
    written = `${base62Digits.charAt(rest % 62)}${written}`
    rest = Math.floor(rest / 62)
  }
  return written
}

/** @see ISO/IEC 7812-1 annex B */
export function isLuhn(number: string): boolean {
  let sum = 0
  for (let at = 0; at < number.length; at += 1) {
    const digit = number.charCodeAt(number.length - 1 - at) - 0x30
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}

/** @see ISO/IEC 7064, MOD 97-10 as ISO 13616 uses it */
export function isMod97(iban: string): boolean {
  let rest = 0
  for (const character of `${iban.slice(4)}${iban.slice(0, 4)}`) {
    const value = Number.parseInt(character, 36)
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97
  }
  return rest === 1
}

const bech32Digits = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const bech32Generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** @see BIP 173 */
export function isBech32(prefix: string, data: string): boolean {
  const human = Array.from(prefix.toLowerCase(), (character) => character.charCodeAt(0))
  const values = Array.from(data.toLowerCase(), (character) => bech32Digits.indexOf(character))
  if (values.includes(-1)) return false
  let sum = 1
  for (const value of [...human.map((code) => code >> 5), 0, ...human.map((code) => code & 31), ...values]) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of bech32Generators.entries()) if (((top >> bit) & 1) === 1) sum ^= generator
  }
  return sum === 1
}
