import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineDiff } from './line-diff.ts'

test('shows the changed lines, a few around them and where they are', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', ''].join('\n')
  assert.equal(
    lineDiff('x', before, before.replace('e\n', 'E\nE2\n')),
    ['--- x', '+++ x', '@@ -2,7 +2,8 @@', ' b', ' c', ' d', '-e', '+E', '+E2', ' f', ' g', ' h'].join('\n'),
  )
  assert.equal(lineDiff('x', '', 'a\n'), ['--- x', '+++ x', '@@ -0,0 +1,1 @@', '+a'].join('\n'))
  assert.equal(lineDiff('x', 'a\na\n', 'a\n'), ['--- x', '+++ x', '@@ -1,2 +1,1 @@', ' a', '-a'].join('\n'))
})

test('a file cannot speak to the terminal', () => {
  assert.equal(lineDiff('x', '', '// \u001b]0;title\u0007 \u202e!\n').split('\n').at(-1), '+// ?]0;title? ?!')
})
