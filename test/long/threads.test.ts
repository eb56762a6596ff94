import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

const root = join(import.meta.dirname, '../..')
/** What goes through a whole gateway and says nothing of how many threads it has. */
const files = globSync(['test/e2e/gateway*.test.ts', 'test/e2e/connect-gateway.test.ts', 'test/e2e/llm-sdk.test.ts', 'test/attacks/{log,policy}-*.test.ts'], {
  cwd: root,
})

for (const threads of [1, 2]) {
  test(`with ${threads} threads that serve agents the same tests hold [L4] [T5] [T6]`, () => {
    assert.ok(files.length > 20)
    const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', '--test-timeout=120000', '--test-reporter=tap', ...files], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, SALLYPORT_TEST_THREADS: String(threads), NODE_TEST_CONTEXT: undefined },
    })
    // With the lines under each, which say why.
    const failed = stdout.split('\n').flatMap((line, at, lines) => (/^\s*not ok/.test(line) ? lines.slice(at, at + 25) : []))
    assert.equal(status, 0, failed.join('\n'))
    assert.match(stdout, /# pass [1-9]/)
  })
}
