import { isIPv4, isIPv6 } from 'node:net'

/** An IP address as a number. An IPv4-mapped IPv6 address is the IPv4 address it stands for: the kernel dials the same host for both. */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
  /** As it is dialled. */
  readonly text: string
}

export interface AddressRange {
  readonly family: 4 | 6
  readonly bits: bigint
  readonly prefixLength: number
}

/** Only `public` is dialled unless the upstream names the address. */
export type AddressClass =
  | 'unspecified'
  | 'multicast'
  | 'broadcast'
  | 'metadata'
  | 'loopback'
  | 'link-local'
  | 'private'
  | 'unique-local'
  | 'carrier-nat'
  | 'documentation'
  | 'reserved'
  | 'public'

/** Which addresses one upstream may live at. */
export interface AddressRules {
  readonly allow: readonly AddressRange[]
  /** When there are any, only these are dialled and no resolver is asked. */
  readonly pin: readonly Address[]
}

const sizes = { 4: 32, 6: 128 } as const

/** Reads the canonical dotted form or any RFC 4291 form without a zone; nothing octal, hexadecimal or short. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: ipv4Bits(text), text }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const bits = ipv6Bits(text)
  if (bits >> 32n === 0xffffn) return ipv4Address(bits & 0xffff_ffffn)
  return { family: 6, bits, text }
}

/** Reads `10.0.0.0/8`. Bits after the prefix must be zero: such a range is a typing error whose reach would be guessed. */
export function parseRange(text: string): AddressRange | undefined {
  const [addressText = '', lengthText = '', more] = text.split('/')
  const address = parseAddress(addressText)
  const prefixLength = Number(lengthText)
  if (!address || more !== undefined || !/^(?:0|[1-9][0-9]{0,2})$/.test(lengthText) || prefixLength > sizes[address.family]) return undefined
  const free = BigInt(sizes[address.family] - prefixLength)
  if ((address.bits >> free) << free !== address.bits) return undefined
  return { family: address.family, bits: address.bits, prefixLength }
}

export function isInside(address: Address, range: AddressRange): boolean {
  if (address.family !== range.family) return false
  const free = BigInt(sizes[range.family] - range.prefixLength)
  return address.bits >> free === range.bits >> free
}

/**
 * Says what kind of address this is. IPv6 forms that carry an IPv4 address are of that address's class, since a translator on the way would deliver there.
 *
 * @see IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)
 */
export function classifyAddress(address: Address): AddressClass {
  const special = specials.find(({ range }) => isInside(address, range))
  if (special) return special.is
  if (address.family === 4) return 'public'
  const embedded = embeddedAddress(address.bits)
  if (embedded) return classifyAddress(embedded)
  // RFC 4291 section 2.4: what is outside 2000::/3 is not handed out as global unicast.
  return address.bits >> 125n === 1n ? 'public' : 'reserved'
}

/** Undefined when the address may be dialled, otherwise why not. */
export function objectionTo(address: Address, { allow, pin }: AddressRules): string | undefined {
  const found = classifyAddress(address)
  if (found === 'public') return undefined
  const objection = `${address.text} is a ${found} address`
  if (found === 'unspecified' || found === 'multicast' || found === 'broadcast') return objection
  if (pin.some((pinned) => pinned.family === address.family && pinned.bits === address.bits)) return undefined
  const naming = allow.filter((range) => isInside(address, range))
  // A wide range that happens to hold the metadata service was not written with it in mind.
  const isNamed = found === 'metadata' ? naming.some((range) => range.prefixLength === sizes[range.family]) : naming.length > 0
  return isNamed ? undefined : objection
}

/** How `addresses.allow` would name exactly this address. */
export function exactRange({ family, text }: Address): string {
  return `${text}/${sizes[family]}`
}

/** The first match counts, so what is narrow stands before what holds it. */
const specials = (
  [
    // What cloud providers serve instance credentials from: AWS, GCP, Azure; AWS ECS and EKS; Alibaba; Oracle; the Azure host.
    ['metadata', '169.254.169.254/32'],
    ['metadata', '169.254.170.2/32'],
    ['metadata', '169.254.170.23/32'],
    ['metadata', '100.100.100.200/32'],
    ['metadata', '192.0.0.192/32'],
    ['metadata', '168.63.129.16/32'],
    ['metadata', 'fd00:ec2::254/128'],
    ['metadata', 'fd00:ec2::23/128'],
    ['metadata', 'fd20:ce::254/128'],
    ['unspecified', '0.0.0.0/8'], // Linux dials itself for 0.0.0.0
    ['private', '10.0.0.0/8'],
    ['carrier-nat', '100.64.0.0/10'],
    ['loopback', '127.0.0.0/8'],
    ['link-local', '169.254.0.0/16'],
    ['private', '172.16.0.0/12'],
    ['reserved', '192.0.0.0/24'],
    ['documentation', '192.0.2.0/24'],
    ['reserved', '192.88.99.0/24'],
    ['private', '192.168.0.0/16'],
    ['reserved', '198.18.0.0/15'],
    ['documentation', '198.51.100.0/24'],
    ['documentation', '203.0.113.0/24'],
    ['multicast', '224.0.0.0/4'],
    ['broadcast', '255.255.255.255/32'],
    ['reserved', '240.0.0.0/4'],
    ['unspecified', '::/128'],
    ['loopback', '::1/128'],
    ['private', '64:ff9b:1::/48'], // local-use translation, RFC 8215: where it leads is known only to the network
    ['documentation', '2001:db8::/32'],
    ['documentation', '3fff::/20'],
    ['unique-local', 'fc00::/7'],
    ['link-local', 'fe80::/10'],
    ['private', 'fec0::/10'],
    ['multicast', 'ff00::/8'],
  ] as const
).map(([is, text]) => ({ is, range: rangeOf(text) }))

/** IETF protocol assignments, RFC 2928; Teredo is a part of them. */
const protocolAssignments = rangeOf('2001::/23')

/** The IPv4 address that an IPv6 address carries, or an address of the class that stands for "goes nowhere good". */
function embeddedAddress(bits: bigint): Address | undefined {
  const low = bits & 0xffff_ffffn
  if (bits >> 32n === 0n) return ipv4Address(low) // IPv4-compatible, RFC 4291 section 2.5.5.1
  if (bits >> 32n === 0xffff_0000n) return ipv4Address(low) // IPv4-translated, RFC 2765
  if (bits >> 32n === 0x64_ff9b_0000_0000_0000_0000n) return ipv4Address(low) // NAT64, RFC 6052
  if (bits >> 112n === 0x2002n) return ipv4Address((bits >> 80n) & 0xffff_ffffn) // 6to4, RFC 3056
  if (bits >> 96n === 0x2001_0000n) return worse((bits >> 64n) & 0xffff_ffffn, low ^ 0xffff_ffffn) // Teredo, RFC 4380: its server, and its client inverted
  const interfaceId = (bits >> 32n) & 0xffff_ffffn
  if (interfaceId === 0x5efen || interfaceId === 0x200_5efen) return ipv4Address(low) // ISATAP, RFC 5214
  if (isInside({ family: 6, bits, text: '' }, protocolAssignments)) return ipv4Address(0xf000_0000n)
  return undefined
}

function worse(first: bigint, second: bigint): Address {
  return classifyAddress(ipv4Address(first)) === 'public' ? ipv4Address(second) : ipv4Address(first)
}

function ipv4Address(bits: bigint): Address {
  const text = [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.')
  return { family: 4, bits, text }
}

function ipv4Bits(text: string): bigint {
  return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
}

function ipv6Bits(text: string): bigint {
  const dotted = text.slice(text.lastIndexOf(':') + 1)
  const tail = dotted.includes('.') ? ipv4Bits(dotted) : undefined
  const hex = tail === undefined ? text : `${text.slice(0, -dotted.length)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  const [before = '', after] = hex.split('::')
  const head = before === '' ? [] : before.split(':')
  const rest = after === undefined || after === '' ? [] : after.split(':')
  const groups = after === undefined ? head : [...head, ...Array<string>(8 - head.length - rest.length).fill('0'), ...rest]
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text)
  if (!range) throw new TypeError(`not a range: ${text}`)
  return range
}
