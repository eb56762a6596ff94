import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EchoMask, maskText } from './echo-mask.ts'

const secret = 'aab-aabaac'

function through(pieces: readonly string[]): string {
  const masking = new EchoMask([Buffer.from(secret)])
  return Buffer.concat([...pieces.map((piece) => masking.pass(Buffer.from(piece))), masking.end()]).toString()
}

test('a secret is blanked wherever the pieces are cut', () => {
  const text = `x${secret}${secret}yaab${secret}`
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      const masked = through([text.slice(0, first), text.slice(first, second), text.slice(second)])
      assert.equal(masked, `x${'*'.repeat(20)}yaab${'*'.repeat(10)}`)
    }
  }
})

test('any cutting of any text gives what the whole text gives', () => {
  const word = fc.constantFrom('a', 'b', 'c', '-', secret, secret.slice(0, 7), secret.slice(3), '\n')
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 6 }), { maxLength: 6 }), (pieces) => {
      const texts = pieces.map((words) => words.join(''))
      assert.equal(through(texts), texts.join('').replaceAll(secret, '*'.repeat(secret.length)))
    }),
    { numRuns: 300 },
  )
})

test('nothing is kept back at the end of a line', () => {
  const masking = new EchoMask([Buffer.from(secret)])
  assert.equal(masking.pass(Buffer.from('data: aab-aabaa\n\n')).toString(), 'data: aab-aabaa\n\n')
  assert.equal(masking.pass(Buffer.from('data: aab')).toString(), 'data: ')
})

test('the piece that was given is not changed', () => {
  const piece = Buffer.from(`<${secret}>`)
  new EchoMask([Buffer.from(secret)]).pass(piece)
  assert.equal(piece.toString(), `<${secret}>`)
})

test('a header value is blanked', () => {
  assert.equal(maskText(`Bearer ${secret}, ${secret}`, [Buffer.from(secret)]), `Bearer ${'*'.repeat(10)}, ${'*'.repeat(10)}`)
})
