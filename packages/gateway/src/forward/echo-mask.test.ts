import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EchoMask, maskLines } from './echo-mask.ts'
import { EchoPattern } from './echo-pattern.ts'

const secret = 'aab-aabaac'
const pattern = new EchoPattern([secret])

function through(pieces: readonly string[], by = pattern): string {
  const masking = new EchoMask(by)
  return Buffer.concat([...pieces.map((piece) => masking.pass(Buffer.from(piece, 'latin1'))), masking.end()]).toString('latin1')
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

test('any cutting of any text gives what the whole text gives, which holds no secret and is as long', () => {
  const word = fc.constantFrom('a', 'b', 'c', '-', secret, secret.slice(0, 7), secret.slice(3), '\n', '\\', '%', '&', '%61', '\\u0061', '&#97;', '%2', '5')
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 6 }), { maxLength: 6 }), (pieces) => {
      const texts = pieces.map((words) => words.join(''))
      const whole = through([texts.join('')])
      assert.equal(through(texts), whole)
      assert.equal(whole.length, texts.join('').length)
      assert.ok(!whole.includes(secret))
    }),
    { numRuns: 500 },
  )
})

test('a text without any form of the secret passes unchanged', () => {
  const word = fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 6 }), fc.constantFrom('aab-aabaa', '%2', '\\u00', '&amp', '\\\\', '%%'))
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join('')
      fc.pre(!/aabaac/i.test(text.replaceAll('\\', '')))
      assert.equal(through(words), text)
    }),
    { numRuns: 500 },
  )
})

test('nothing is kept back at the end of a line', () => {
  const masking = new EchoMask(pattern)
  const passed = (text: string): string => Buffer.from(masking.pass(Buffer.from(text))).toString()
  for (const line of ['data: aab-aabaa\n\n', 'data: 100%\n\n', 'data: \\\n\n', 'data: &amp\n\n', 'data: \\u00\n\n']) assert.equal(passed(line), line)
  assert.equal(passed('data: aab'), 'data: ')
})

test('the piece that was given is not changed', () => {
  const piece = Buffer.from(`<${secret}>`)
  new EchoMask(pattern).pass(piece)
  assert.equal(piece.toString(), `<${secret}>`)
})

test('lines are blanked each by itself', () => {
  const lines = [`Bearer ${secret}, ${secret}`, '', secret.slice(0, 5), secret.slice(5)]
  assert.deepEqual(maskLines(lines, pattern), [`Bearer ${'*'.repeat(10)}, ${'*'.repeat(10)}`, '', secret.slice(0, 5), secret.slice(5)])
})

test('the blank covers the escapes, so that JSON stays JSON', () => {
  const text = JSON.stringify({ says: '/aab"aabaac' }).replaceAll('/', '\\/')
  assert.deepEqual(JSON.parse(through([text], new EchoPattern(['/aab"aabaac']))), { says: '*'.repeat(13) })
})
