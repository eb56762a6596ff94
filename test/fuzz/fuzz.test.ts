import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { keptCases } from './cases.ts'
import { failureOf, fuzz } from './fuzz.ts'
import { bytesOf, latin1, type Target } from './target.ts'
import { targets } from './targets/index.ts'

/** The same inputs in every run; longer and ever new ones are tried by test/long/fuzz.test.ts. */
const seed = 1

for (const target of targets) {
  test(`${target.name} keeps its promises for every kept case and for inputs made with seed ${seed}`, async () => {
    const cases = keptCases(target.name)
    for (const { title, input } of cases) assert.equal(await failureOf(target, input), undefined, title)
    const { finding } = await fuzz(target, { seed, cases: cases.map(({ input }) => input), until: { inputs: 120 } })
    if (finding) throw new Error(`input in base64: ${Buffer.from(finding.input).toString('base64')}`, { cause: finding.error })
  })
}

test('every folder of kept cases belongs to a target', () => {
  const names = new Set(targets.map(({ name }) => name))
  assert.equal(names.size, targets.length)
  assert.deepEqual(
    readdirSync(join(import.meta.dirname, 'cases')).filter((folder) => !names.has(folder)),
    [],
  )
})

/** A reader with a hole that no start input shows: a word after a letter, in the right place. */
const hollow: Target = {
  name: 'hollow',
  inputs: fc.constant(bytesOf('nothing')),
  words: ['<<', '>>'],
  bytesMax: 256,
  check(input) {
    const text = latin1(input)
    assert.ok(!text.includes('<<'), 'the hole')
  },
}

test('a broken promise is found, and its input is made as small as it can be', async () => {
  const { finding } = await fuzz(hollow, { seed, cases: [], until: { inputs: 5000 } })
  assert.equal(finding && latin1(finding.input), '<<')
  assert.match(finding?.error.message ?? '', /the hole/)
})

test('an input that takes too long is a broken promise', async () => {
  const slow: Target = {
    ...hollow,
    check() {
      const endsAt = performance.now() + 200
      while (performance.now() < endsAt);
    },
  }
  assert.match((await failureOf(slow, bytesOf('x'), 5))?.message ?? '', /^1 bytes take [0-9]+ ms$/)
})
