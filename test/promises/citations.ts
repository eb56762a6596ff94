import { globSync, readFileSync } from 'node:fs'

const title = /\b(?:test|it|describe)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs
const citation = /\[([A-Z][0-9]+)\]/g

/** Which test files cite which promise in the title of a test: id to files, in order. */
export function citations(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const file of globSync(['packages/*/src/**/*.test.ts', 'test/**/*.test.ts']).sort()) {
    for (const [, , text = ''] of readFileSync(file, 'utf8').matchAll(title)) {
      for (const [, id = ''] of text.matchAll(citation)) {
        const files = found.get(id) ?? []
        if (!files.includes(file)) found.set(id, [...files, file])
      }
    }
  }
  return found
}
