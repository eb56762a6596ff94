import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

const root = join(import.meta.dirname, '../..')

test('the threat model names every attack file once, and none that does not exist', () => {
  const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')
  const named = [...page.matchAll(/\]\(\.\.\/test\/attacks\/([a-z0-9-]+\.test\.ts)\)/g)].flatMap(([, file]) => file ?? []).toSorted()
  const files = readdirSync(join(root, 'test/attacks'))
    .filter((file) => file.endsWith('.test.ts'))
    .toSorted()
  assert.deepEqual(named, files)
})
