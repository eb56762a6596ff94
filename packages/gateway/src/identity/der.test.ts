import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DerError, derTag, membersOf, readBoolean, readDer, readNamedBits, readTime } from './der.ts'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const encode = (tag: number, content: Uint8Array): Buffer => {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

for (const [what, bytes] of [
  ['nothing', ''],
  ['a tag alone', '30'],
  ['a length beyond the end', '30 01'],
  ['a byte after the end', '30 00 00'],
  ['an indefinite length', '30 80 00 00'],
  ['a long form where the short fits', '04 81 01 00'],
  ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`],
  ['a length of four bytes', '04 84 00 00 00 01 00'],
  ['a tag of several bytes', '1f 81 00 00'],
] as const) {
  test(`refuses ${what}`, () => assert.throws(() => readDer(hex(bytes)), DerError))
}

test('reads what it is given, at every length form', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 4096]) assert.equal(readDer(encode(derTag.octetString, Buffer.alloc(length))).content.length, length)
})

test('members come back as they were encoded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (contents) => {
      const sequence = encode(derTag.sequence, Buffer.concat(contents.map((content) => encode(derTag.octetString, content))))
      assert.deepEqual(
        membersOf(readDer(sequence), derTag.sequence).map(({ content }) => Buffer.from(content)),
        contents.map((content) => Buffer.from(content)),
      )
    }),
  )
})

test('arbitrary bytes are read or refused, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        membersOf(readDer(bytes), derTag.sequence)
      } catch (error) {
        assert.ok(error instanceof DerError)
      }
    }),
    { numRuns: 1000 },
  )
})

test('too many members are refused before they are kept', () => {
  const members = (count: number): Uint8Array => encode(derTag.sequence, Buffer.concat(Array.from({ length: count }, () => Buffer.from('0500', 'hex'))))
  assert.equal(membersOf(readDer(members(64)), derTag.sequence).length, 64)
  assert.throws(() => membersOf(readDer(members(65)), derTag.sequence), DerError)
})

test('dates: the two forms of RFC 5280, and the neighbours just outside', () => {
  const time = (tag: number, text: string): number => readTime({ tag, content: Buffer.from(text) })
  assert.equal(time(derTag.utcTime, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59))
  assert.equal(time(derTag.utcTime, '500101000000Z'), Date.UTC(1950, 0, 1))
  assert.equal(time(derTag.generalizedTime, '20500101000000Z'), Date.UTC(2050, 0, 1))
  assert.equal(time(derTag.utcTime, '280229000000Z'), Date.UTC(2028, 1, 29))
  for (const text of [
    '2602290000Z',
    '260229000000Z',
    '261301000000Z',
    '260101240000Z',
    '260101000060Z',
    '260101000000',
    '260101000000+0000',
    '26010100000 Z',
    '',
  ]) {
    assert.throws(() => time(derTag.utcTime, text), DerError, text)
  }
  for (const text of ['20500101000000.5Z', '20500101000000', '500101000000Z']) assert.throws(() => time(derTag.generalizedTime, text), DerError, text)
})

test('booleans and named bits have one spelling', () => {
  assert.equal(readBoolean({ tag: derTag.boolean, content: hex('ff') }), true)
  for (const bytes of ['01', 'ffff', '']) assert.throws(() => readBoolean({ tag: derTag.boolean, content: hex(bytes) }), DerError)
  assert.equal(readNamedBits({ tag: derTag.bitString, content: hex('07 80') }), 0x80)
  for (const bytes of ['06 80', '07 81', '08 80', '00', '07 00', ''])
    assert.throws(() => readNamedBits({ tag: derTag.bitString, content: hex(bytes) }), DerError, bytes)
})
