import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLines } from './read-lines.ts'

async function read(pieces: readonly string[], lineBytesMax = 8): Promise<string[]> {
  const lines: string[] = []
  const source = (async function* () {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1')
  })()
  for await (const line of readLines(source, lineBytesMax)) lines.push(line.kind === 'line' ? line.text : '<too long>')
  return lines
}

const table: readonly [pieces: readonly string[], lines: readonly string[]][] = [
  [['a\nb\n'], ['a', 'b']],
  [
    ['a', 'b', '\nc'],
    ['ab', 'c'],
  ],
  [['\n\r\n  \na\r\n'], ['a']],
  [['12345678\n'], ['12345678']],
  [['123456789\nok\n'], ['<too long>', 'ok']],
  [
    ['1234', '56789', '0\nok'],
    ['<too long>', 'ok'],
  ],
  [['123456789'], ['<too long>']],
  [['\xc3', '\xa4\n'], ['ä']],
  [[], []],
]

for (const [pieces, lines] of table) {
  test(`reads ${JSON.stringify(pieces)}`, async () => assert.deepEqual(await read(pieces), lines))
}
