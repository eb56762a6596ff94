import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { problems } from '@sallyport/contract'

test('docs/problems.md has one section for each problem code, and no other', () => {
  const sections = [...readFileSync('docs/problems.md', 'utf8').matchAll(/^### `?([a-z-]+\.[a-z-]+)`?$/gm)].map(([, code]) => code)
  assert.deepEqual(new Set(sections), new Set(Object.keys(problems)))
  assert.equal(sections.length, Object.keys(problems).length)
})
