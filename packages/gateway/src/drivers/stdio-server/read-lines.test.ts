import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { LineCutter } from './read-lines.ts'

function cut(lineBytesMax: number, ...pieces: string[]): string[] {
  const cutter = new LineCutter(lineBytesMax)
  return pieces.flatMap((piece) => [...cutter.take(Buffer.from(piece))].map((line) => Buffer.from(line).toString()))
}

test('cuts lines wherever the pieces end', () => {
  assert.deepEqual(cut(10, 'a\nb', 'c\r\n', '\n', 'rest'), ['a', 'bc', ''])
  assert.deepEqual(cut(4, 'abcd\n'), ['abcd'])
})

test('refuses a line past its bound before it is whole', () => {
  assert.throws(() => cut(4, 'abcde\n'), Fault)
  assert.throws(() => cut(4, 'ab', 'cd', 'e'), Fault)
})
