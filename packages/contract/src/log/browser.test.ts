import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

/** Every module that one reaches through its imports, and what these import that is no file of ours. */
function reachedFrom(entry: string): { readonly files: ReadonlySet<string>; readonly foreign: ReadonlySet<string> } {
  const files = new Set<string>()
  const foreign = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    assert.ok(existsSync(file), file)
    files.add(file)
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (from.startsWith('.')) visit(join(dirname(file), from))
      else foreign.add(from)
    }
  }
  visit(entry)
  return { files, foreign }
}

test('the verifier of the log runs in a browser: it reaches no module of Node, and of others only zod', () => {
  const { files, foreign } = reachedFrom(join(import.meta.dirname, 'index.ts'))
  assert.ok(files.size > 12, `${files.size} modules`)
  assert.deepEqual([...foreign], ['zod'])
  for (const file of files) assert.doesNotMatch(readFileSync(file, 'utf8'), /\b(?:Buffer|process|__dirname|require)\s*[.([]/, file)
})
