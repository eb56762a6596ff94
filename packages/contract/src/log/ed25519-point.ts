import { fromBase64, toHex } from './bytes.ts'

/** Points of an order of at most 8, sign bit cleared: y of 0, 1, -1, and two of order 8. */
const weakPoints = new Set(
  [
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    '7P///////////////////////////////////////38=',
    'JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=',
    'xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=',
  ].map((text) => toHex(fromBase64(text) ?? new Uint8Array(0))),
)

/**
 * False for a key under which signatures can be made without a private key, and for the second spelling that some keys have: two keys with different bytes are two
 * keys.
 *
 * @see RFC 8032 section 5.1.3
 */
export function isStrongPoint(publicKey: Uint8Array): boolean {
  const y = Uint8Array.from(publicKey)
  y[31] = (y[31] ?? 0) & 0x7f
  const isBelowPrime = y[31] !== 0x7f || (y[0] ?? 0) < 0xed || y.subarray(1, 31).some((byte) => byte !== 0xff)
  return isBelowPrime && !weakPoints.has(toHex(y))
}
