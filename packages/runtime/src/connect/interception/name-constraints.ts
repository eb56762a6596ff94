import { Extension } from '@peculiar/x509'

/**
 * Lets a certificate authority speak for these DNS names (and what is below them, which the format cannot leave out) and for no address at all.
 *
 * @see RFC 5280 section 4.2.1.10
 */
export function nameConstraints(hosts: readonly string[]): Extension {
  const permitted = hosts.map((host) => element(0x30, element(0x82, Buffer.from(host, 'ascii'))))
  // A constraint on DNS names says nothing of addresses: every IPv4 and every IPv6 one is left out by itself.
  const excluded = [8, 32].map((bytes) => element(0x30, element(0x87, Buffer.alloc(bytes))))
  const value = element(0x30, Buffer.concat([element(0xa0, Buffer.concat(permitted)), element(0xa1, Buffer.concat(excluded))]))
  return new Extension('2.5.29.30', true, value)
}

/** One element of DER. @see ITU-T X.690 section 8.1 */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...octets]), content])
}
