import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { openStream, sealStream } from './sealed-stream.ts'

const passphrase = 'a passphrase of some length'
const chunk = 65_536
/** Of the many times that a key is made here, none protects anything. */
const cheap = 2 ** 14
const sealedChunk = chunk + 16

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
}

const seal = (bytes: Buffer): Promise<Buffer> => buffer(sealStream(piecesOf(bytes), passphrase, randomBytes, cheap))
const open = (bytes: Buffer, by = passphrase): Promise<Buffer> => buffer(openStream(piecesOf(bytes), by))

test('what was sealed opens with the same passphrase, at every length around a chunk', async () => {
  for (const length of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk]) {
    const content = randomBytes(length)
    assert.deepEqual(await open(await seal(content)), content, String(length))
  }
})

test('the same letters in another normal form of Unicode are the same passphrase', async () => {
  const sealed = await buffer(sealStream(piecesOf(Buffer.from('x')), 'pass wort mit \u00e4', randomBytes, cheap))
  assert.equal((await open(sealed, 'pass wort mit a\u0308')).toString(), 'x')
})

test('a chunk that is altered, moved, left out, cut off or added is refused', async () => {
  const content = randomBytes(3 * chunk)
  const sealed = await seal(content)
  const first = sealed.length - 3 * sealedChunk
  const head = sealed.subarray(0, first)
  const [one, two, three] = [0, 1, 2].map((number) => sealed.subarray(first + number * sealedChunk, first + (number + 1) * sealedChunk))
  assert.ok(one && two && three)
  const flipped = Buffer.from(sealed)
  flipped[sealed.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  const headFlipped = Buffer.from(sealed)
  headFlipped[first - 6] = (headFlipped[first - 6] ?? 0) ^ 1
  const altered = {
    flipped,
    headFlipped,
    moved: Buffer.concat([head, two, one, three]),
    leftOut: Buffer.concat([head, one, three]),
    cut: Buffer.concat([head, one, two]),
    added: Buffer.concat([sealed, three]),
    shortened: sealed.subarray(0, -1),
    empty: head,
  }
  for (const [name, bytes] of Object.entries(altered)) {
    await assert.rejects(open(bytes), (error) => error instanceof Fault && /altered|damaged/.test(error.message), name)
  }
})

test('a head that asks for more memory than a backup ever does is refused before it is had', async () => {
  const sealed = (await seal(Buffer.from('x'))).toString('latin1').replace('"n":16384', '"n":1073741824')
  await assert.rejects(open(Buffer.from(sealed, 'latin1')), /head of the file is damaged/)
})
