import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChunkedDecoder } from './chunked-decoder.ts'

/** What came of the bytes, fed in pieces that end at `cuts`. */
function decode(text: string, cuts: readonly number[] = [], bytesMax = 100): { body: string; end: number; isComplete: boolean; code: string | undefined } {
  const bytes = Buffer.from(text, 'latin1')
  const decoder = new ChunkedDecoder(bytesMax)
  const pieces: Uint8Array[] = []
  let start = 0
  let end = 0
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    end = start + decoder.decode(bytes.subarray(start, cut), 0, pieces)
    if (end < cut) break
    start = cut
  }
  return { body: Buffer.concat(pieces).toString('latin1'), end, isComplete: decoder.isComplete, code: decoder.flaw?.code }
}

const accepted: [text: string, body: string][] = [
  ['0\r\n\r\n', ''],
  ['1\r\na\r\n0\r\n\r\n', 'a'],
  ['a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789'],
  ['5\r\n\r\n0\r\n\r\n0\r\n\r\n', '\r\n0\r\n'],
  [`64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`, 'x'.repeat(100)],
]

for (const [text, body] of accepted) {
  test(`${JSON.stringify(text.slice(0, 40))} is a body`, () => {
    assert.deepEqual(decode(`${text}GET /`), { body, end: text.length, isComplete: true, code: undefined })
  })
}

const refusals: [name: string, text: string, code?: string][] = [
  ['no size', '\r\na\r\n'],
  ['a chunk extension', '1;a=b\r\na\r\n'],
  ['a bare semicolon', '1;\r\na\r\n'],
  ['a space after the size', '1 \r\na\r\n'],
  ['a space before the size', ' 1\r\na\r\n'],
  ['a tab after the size', '1\t\r\na\r\n'],
  ['a hexadecimal prefix', '0x1\r\na\r\n'],
  ['a sign', '+1\r\na\r\n'],
  ['a negative size', '-1\r\na\r\n'],
  ['an underscore', '1_0\r\na\r\n'],
  ['a leading zero', '01\r\na\r\n'],
  ['two zeros', '00\r\n\r\n'],
  ['nine digits', '100000001\r\n'],
  ['bare LF after the size', '1\na\r\n'],
  ['bare CR after the size', '1\ra\r\n'],
  ['bare LF after the data', '1\r\na\n0\r\n\r\n'],
  ['more data than the size', '1\r\nab\r\n0\r\n\r\n'],
  ['less data than the size', '3\r\na\r\n0\r\n\r\n'],
  ['a trailer', '0\r\nA: b\r\n\r\n'],
  ['bare LF at the end', '0\r\n\n'],
  ['a chunk above the limit', '65\r\n', 'edge.too-large'],
  ['chunks above the limit', `64\r\n${'x'.repeat(100)}\r\n1\r\n`, 'edge.too-large'],
  ['the largest size', 'ffffffff\r\n', 'edge.too-large'],
]

for (const [name, text, code = 'edge.malformed'] of refusals) {
  test(`refused: ${name}`, () => {
    const result = decode(text)
    assert.equal(result.code, code)
    assert.equal(result.isComplete, false)
  })
}

test('however the bytes are split, the result is the same', () => {
  const texts = [...accepted.map(([text]) => `${text}next`), ...refusals.map(([, text]) => text)]
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
      assert.deepEqual(decode(text, cuts), decode(text))
    }),
    { numRuns: 2000 },
  )
})

test('any body in any chunks comes out as it went in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }), { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (chunks, cuts) => {
        const text = `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
        assert.deepEqual(decode(text, cuts), { body: chunks.join(''), end: text.length, isComplete: true, code: undefined })
      },
    ),
  )
})
