// What is held back ends somewhere: a credential must not slip through where one part of a large answer is let go and the next begins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectorsNamed } from '../../packages/gateway/src/policy/detect/catalog.ts'
import { PieceScanner } from '../../packages/gateway/src/policy/detect/piece-scanner.ts'
import { credential, redacted, redactSecrets, seeAnswer } from '../fixtures/results.ts'

const detectors = detectorsNamed('secret') ?? []

for (const [filling, held] of [
  ['A', 8192], // one endless word
  ['lorem ipsum ', 16],
] as const) {
  test(`a credential is found at every place around the border of what is held back of ${JSON.stringify(filling)}`, () => {
    const text = filling.repeat(Math.ceil(20_000 / filling.length))
    for (let offset = -credential.length - 2; offset <= 2; offset += 1) {
      const scanner = new PieceScanner(detectors)
      const at = 10_000 + offset
      const whole = `${text.slice(0, at)}/${credential}/${text}`
      // The first piece ends so that the border lies in the credential.
      const first = scanner.read(whole.slice(0, 10_000 + held))
      const rest = [scanner.read(whole.slice(10_000 + held)), scanner.end()]
      const found = [first, ...rest].flatMap(({ findings }) => findings)
      assert.equal(found.length, 1, `offset ${offset}`)
      assert.equal([first, ...rest].map(({ text: passed }) => passed).join(''), whole)
    }
  })
}

test('in an answer of 2 MiB every credential is found, the last bytes included', async () => {
  const part = `${'x'.repeat(997)}/${credential}/`
  const pieces = Array.from({ length: 2000 }, () => part)
  const { body, facts } = await seeAnswer({ pieces: [...pieces, credential], type: 'text/plain' }, [redactSecrets])
  assert.equal(body, pieces.join('').replaceAll(credential, redacted) + redacted)
  assert.equal(facts?.found?.[0]?.count, 2001)
})
