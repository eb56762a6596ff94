import { Fault } from '@sallyport/contract'
import { ByteReader } from './byte-reader.ts'

/** One regular file of an archive. */
export interface Member {
  readonly name: string
  readonly bytes: number
  /** Exactly so many bytes. */
  readonly content: AsyncIterable<Uint8Array>
}

const blockBytes = 512
const nameBytesMax = 100
/** What eleven octal digits hold. */
const memberBytesMax = 8 ** 11 - 1

/** Packs regular files, readable by their owner alone. @see IEEE Std 1003.1-2024, pax, ustar Interchange Format */
export async function* packTar(members: AsyncIterable<Member>, seconds: number): AsyncGenerator<Uint8Array> {
  for await (const { name, bytes, content } of members) {
    yield headerOf(name, bytes, seconds)
    let written = 0
    for await (const piece of content) {
      written += piece.length
      yield piece
    }
    if (written !== bytes) throw new Fault(`${name} changed while it was copied`, 'not-done')
    yield Buffer.alloc(paddingAfter(bytes))
  }
  yield Buffer.alloc(2 * blockBytes)
}

/**
 * Unpacks what `packTar` made, and nothing else: links, folders, long names and other extensions are refused. A member that is not read to its end is passed over.
 *
 * @throws Fault `not-done` for anything that is not such an archive, or has something after its end
 */
export async function* unpackTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const reader = new ByteReader(source)
  for (;;) {
    const header = await reader.take(blockBytes)
    if (header.every((byte) => byte === 0)) break
    const { name, bytes } = parseHeader(header)
    const content = reader.pass(bytes)
    yield { name, bytes, content }
    for await (const skipped of content) void skipped
    await reader.take(paddingAfter(bytes))
  }
  const end = await reader.take(blockBytes)
  const more = await reader.takeUpTo(1)
  if (more.length > 0 || end.some((byte) => byte !== 0)) throw new Fault('the archive has something after its end', 'not-done')
}

function headerOf(name: string, bytes: number, seconds: number): Buffer {
  if (Buffer.byteLength(name) > nameBytesMax) throw new RangeError(`${name} is too long a name for the archive`)
  if (bytes > memberBytesMax) throw new Fault(`${name} is too large for the archive`, 'not-done')
  const header = Buffer.alloc(blockBytes)
  header.write(name, 0)
  header.write('0000600\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${octal(bytes, 11)}\0${octal(seconds, 11)}\0`, 124)
  header.write('0', 156)
  header.write('ustar\0' + '00', 257)
  header.write(`${octal(checksumOf(header), 6)}\0 `, 148)
  return header
}

function parseHeader(header: Buffer): { readonly name: string; readonly bytes: number } {
  const text = (at: number, length: number): string => header.toString('latin1', at, at + length).replace(/\0.*$/s, '')
  const size = text(124, 12)
  const isOurs = text(257, 6) === 'ustar' && text(156, 1) === '0' && /^[0-7]{11}$/.test(size) && text(345, 155) === ''
  if (!isOurs || text(148, 7) !== octal(checksumOf(header), 6)) throw new Fault('the file is no archive of Sallyport, or was altered', 'not-done')
  return { name: text(0, nameBytesMax), bytes: Number.parseInt(size, 8) }
}

/** The sum of all bytes, with the sum's own field as spaces. */
function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

function octal(number: number, digits: number): string {
  return Math.floor(number).toString(8).padStart(digits, '0')
}

function paddingAfter(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes
}
