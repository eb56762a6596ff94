import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

test('the README leads to every page, and no page leads to one that is not there', () => {
  const readme = readFileSync('README.md', 'utf8')
  const pages = globSync(['docs/*.md', 'docs/operate/*.md']).sort()
  assert.deepEqual(
    pages.filter((page) => !readme.includes(`(${page})`)),
    [],
  )
  const broken = ['README.md', 'ARCHITECTURE.md', ...pages].flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)].flatMap(([, link = '']) => {
      const target = new URL(link, `file:///${page}`).pathname.slice(1)
      return globSync(target.replace(/\/$/, '')).length > 0 ? [] : [`${page}: ${link}`]
    }),
  )
  assert.deepEqual(broken, [])
})
