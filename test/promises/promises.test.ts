import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { citations } from './citations.ts'
import { promises } from './promises.ts'

const cited = citations()

test('every claimed promise is cited by a test', () => {
  const claimed = promises.filter((row) => row.claimed).map(({ id }) => id)
  process.stdout.write(`claimed: ${claimed.join(', ')}\n`)
  assert.deepEqual(
    claimed.filter((id) => !cited.has(id)),
    [],
  )
})

test('no test cites an id that does not exist', () => {
  const known = new Set(promises.map(({ id }) => id))
  assert.deepEqual(
    [...cited.keys()].filter((id) => !known.has(id)),
    [],
  )
})

test('the README lists exactly the claimed promises, in these words', () => {
  const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\| ([A-Z][0-9]+) \| (.+?) \|$/gm)].map(([, id = '', promise = '']) => ({ id, promise }))
  assert.deepEqual(
    rows,
    promises.filter((row) => row.claimed).map(({ id, promise }) => ({ id, promise })),
  )
})
