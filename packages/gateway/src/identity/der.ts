/** The bytes are not strict DER: thrown by this reader alone and turned into a refusal by its user. */
export class DerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DerError'
  }
}

/** One tag, length and value. Nothing below it has been looked at: depth is bounded by how far the code descends by hand. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const

/** No certificate needs more members at one level. */
const membersMax = 64

/** Reads exactly one element: no byte may follow it. @throws DerError */
export function readDer(bytes: Uint8Array): DerElement {
  const { element, end } = readElement(bytes, 0)
  if (end !== bytes.length) throw new DerError('bytes follow the end')
  return element
}

/** The members of a constructed element, in order. @throws DerError */
export function membersOf(element: DerElement, tag: number): DerElement[] {
  const content = contentOf(element, tag)
  const members: DerElement[] = []
  for (let at = 0; at < content.length;) {
    if (members.length === membersMax) throw new DerError('too many members')
    const { element: member, end } = readElement(content, at)
    members.push(member)
    at = end
  }
  return members
}

/** The value of an element that must have this tag. @throws DerError */
export function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw new DerError(`expected tag ${tag}, found ${element?.tag ?? 'nothing'}`)
  return element.content
}

/**
 * Definite, minimal lengths only: in BER the same certificate has many spellings, and two parsers that disagree on one can be shown two identities.
 *
 * @see X.690 sections 8.1 and 10.1
 */
function readElement(bytes: Uint8Array, at: number): { readonly element: DerElement; readonly end: number } {
  const tag = byteAt(bytes, at)
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes')
  const first = byteAt(bytes, at + 1)
  let start = at + 2
  let length = first
  if (first >= 0x80) {
    const lengthBytes = first & 0x7f
    if (lengthBytes === 0 || lengthBytes > 3) throw new DerError('an indefinite or huge length')
    length = 0
    for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + byteAt(bytes, start + index)
    if (length < 0x80 || length < 256 ** (lengthBytes - 1)) throw new DerError('a length that is not minimal')
    start += lengthBytes
  }
  const end = start + length
  if (end > bytes.length) throw new DerError('a length beyond the end')
  return { element: { tag, content: bytes.subarray(start, end) }, end }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new DerError('the end came too early')
  return byte
}

/** DER knows one TRUE. @see X.690 section 11.1 */
export function readBoolean(element: DerElement): boolean {
  const content = contentOf(element, derTag.boolean)
  if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) throw new DerError('a malformed boolean')
  return content[0] === 0xff
}

/** @throws DerError for anything but whole bytes, or an empty string */
export function readBitString(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, derTag.bitString)
  if (content[0] !== 0 || content.length < 2) throw new DerError('a bit string that is not whole bytes')
  return content.subarray(1)
}

/** The first eight named bits as a mask, most significant first; further bits are dropped. @see X.690 section 11.2 */
export function readNamedBits(element: DerElement): number {
  const content = contentOf(element, derTag.bitString)
  const [unused, first] = content
  if (unused === undefined || unused > 7 || first === undefined) throw new DerError('malformed named bits')
  const last = content[content.length - 1] ?? 0
  if ((last & (1 << unused)) === 0 || (last & ((1 << unused) - 1)) !== 0) throw new DerError('named bits that are not minimal')
  return first
}

/**
 * UTCTime or GeneralizedTime in the only forms a certificate may use: seconds, `Z`, no fraction. Milliseconds since the epoch.
 *
 * @see RFC 5280 section 4.1.2.5
 */
export function readTime(element: DerElement | undefined): number {
  if (element?.tag !== derTag.utcTime && element?.tag !== derTag.generalizedTime) throw new DerError('expected a time')
  const text = Buffer.from(element.content).toString('latin1')
  const form = element.tag === derTag.utcTime ? /^[0-9]{12}Z$/ : /^[0-9]{14}Z$/
  if (!form.test(text)) throw new DerError('a malformed time')
  const century = element.tag === derTag.generalizedTime ? '' : text < '50' ? '20' : '19'
  const digits = century + text.slice(0, -1)
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6.000Z')
  const ms = Date.parse(iso)
  // Date.parse forgives 30 February; the round trip does not.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== iso) throw new DerError('a time that does not exist')
  return ms
}

/** An object identifier as the hexadecimal of its encoding, to be compared with a constant. */
export function readObjectIdentifier(element: DerElement | undefined): string {
  return Buffer.from(contentOf(element, derTag.objectIdentifier)).toString('hex')
}
