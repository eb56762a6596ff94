import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertCleanCommit, makeRelease } from '../../release/make.ts'
import { sha256 } from '../../release/provenance.ts'
import { run } from '../../release/run.ts'

const root = join(import.meta.dirname, '../..')

test('two clones in folders of other names give the same files, byte by byte', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-clones-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const commit = run('git', ['rev-parse', 'HEAD'], root).toString('utf8').trim()
  const digests: Record<string, string>[] = []
  for (const name of ['one', 'the-other']) {
    const clone = join(folder, name)
    run('git', ['clone', '--quiet', '--no-hardlinks', root, clone], folder)
    run('git', ['checkout', '--quiet', '--detach', commit], clone)
    assertCleanCommit(clone, commit)
    digests.push(Object.fromEntries([...(await makeRelease(clone, commit))].map(([file, bytes]) => [file, sha256(bytes)])))
  }
  // A tarball and a bill of materials of each package, and the sources.
  assert.equal(Object.keys(digests[0] ?? {}).length, 2 * readdirSync(join(root, 'packages')).length + 1)
  assert.deepEqual(digests[0], digests[1])
})

test('a release is not made of a tree that is not the commit', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-clone-'))
  t.after(() => rmSync(folder, { recursive: true }))
  run('git', ['clone', '--quiet', root, 'clone'], folder)
  const clone = join(folder, 'clone')
  const head = run('git', ['rev-parse', 'HEAD'], clone).toString('utf8').trim()
  assert.throws(() => assertCleanCommit(clone, 'a'.repeat(40)), /not at/)
  writeFileSync(join(clone, 'packages/contract/src/more.ts'), '')
  assert.throws(() => assertCleanCommit(clone, head), /not what the commit holds/)
})
