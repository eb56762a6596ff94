import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAnswerHead, UnsendableAnswer } from './answer-head.ts'
import type { HeaderLines } from './inbound.ts'

test('an answer head is the status, the headers and the lines of the edge', () => {
  const head = formatAnswerHead(404, [['x-a', 'b c\té']], 'content-length: 0\r\n', 1000)
  assert.equal(head, 'HTTP/1.1 404 Not Found\r\nx-a: b c\té\r\ncontent-length: 0\r\n\r\n')
})

const unsendable: [name: string, status: number, headers: HeaderLines][] = [
  ['an interim status', 100, []],
  ['a switch of protocols', 101, []],
  ['a status of four digits', 1000, []],
  ['a status that is no number', Number.NaN, []],
  ['CR LF in a value', 200, [['a', 'b\r\nset-cookie: c']]],
  ['LF in a value', 200, [['a', 'b\nc']]],
  ['NUL in a value', 200, [['a', 'b\0']]],
  ['a character whose low byte is LF', 200, [['a', 'b\u010ac']]],
  ['CR LF in a name', 200, [['a\r\nb', 'c']]],
  ['a space in a name', 200, [['a b', 'c']]],
  ['an empty name', 200, [['', 'c']]],
  ['a content-length', 200, [['content-length', '1']]],
  ['a transfer-encoding', 200, [['Transfer-Encoding', 'chunked']]],
  ['a connection', 200, [['connection', 'close']]],
  ['an upgrade', 200, [['upgrade', 'h2c']]],
  ['more than the limit', 200, [['a', 'b'.repeat(1000)]]],
]

for (const [name, status, headers] of unsendable) {
  test(`${name} is never sent`, () => assert.throws(() => formatAnswerHead(status, headers, '', 1000), UnsendableAnswer))
}
