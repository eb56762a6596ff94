import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { isReleased, objectionsToContents } from '../../release/check-contents.ts'
import { ownPackages } from '../../release/packages.ts'
import { run } from '../../release/run.ts'
import { readTarball } from '../../release/tarball.ts'
import { npmTarball, type Packed } from '../fixtures/npm-tarball.ts'

const root = join(import.meta.dirname, '../..')
const [contract] = ownPackages(root).packages
assert.ok(contract)
const paths = run('git', ['ls-tree', '-r', '--name-only', `HEAD:${contract.folder}`], root)
  .toString('utf8')
  .trim()
  .split('\n')
  .filter(isReleased)
const honest: readonly Packed[] = paths.map((path) => ({
  path: `package/${path}`,
  content: run('git', ['cat-file', 'blob', `HEAD:${contract.folder}/${path}`], root),
}))
const objections = (files: readonly Packed[]): readonly string[] => objectionsToContents(npmTarball(files), contract, 'HEAD', root)

test('a tarball that holds what the commit holds is taken', () => {
  assert.ok(honest.length > 20)
  assert.deepEqual(objections(honest), [])
})

test('an extra file, a missing one and a changed one are each refused', () => {
  assert.deepEqual(objections([...honest, { path: 'package/src/more.ts', content: '' }]), ['src/more.ts should not be in it'])
  assert.deepEqual(objections([...honest, { path: 'package/src/json.test.ts' }]), ['src/json.test.ts should not be in it'])
  assert.deepEqual(objections(honest.slice(1)), [`${paths[0]} is missing`])
  const [first, ...rest] = honest
  assert.deepEqual(objections([{ ...first, path: `package/${paths[0]}`, content: 'other' }, ...rest]), [`${paths[0]} is not what the commit holds`])
})

test('what an honest tarball never holds is refused before it is compared', () => {
  const cases: readonly (readonly [files: readonly Packed[], objection: RegExp])[] = [
    [[{ path: 'package/../../etc/passwd' }], /no path below package/],
    [[{ path: 'package/src/..' }], /no path below package/],
    [[{ path: 'package/src//a.ts' }], /no path below package/],
    [[{ path: '/package/a.ts' }], /no path below package/],
    [[{ path: 'other/a.ts' }], /no path below package/],
    [[{ path: 'package/a', type: '2' }], /no regular file/],
    [[{ path: 'package/a', type: '1' }], /no regular file/],
    [[{ path: 'package/a', type: 'x', content: '20 path=package/b.ts\n' }], /no regular file/],
    [[{ path: 'package/a.sh', mode: '000755 ' }], /may be run/],
    [[{ path: 'package/a', mode: '004644 ' }], /may be run/],
    [[{ path: 'package/a' }, { path: 'package/a' }], /twice/],
  ]
  for (const [files, objection] of cases) assert.throws(() => readTarball(npmTarball(files)), objection, files[0]?.path)
  assert.throws(() => readTarball(npmTarball([{ path: 'package/a' }], Buffer.from('more'))), /after its end/)
  assert.equal(readTarball(npmTarball([{ path: 'package/a.b-c/d..e' }])).size, 1, 'dots in a name lead nowhere')
})

test('tests, fixtures and whatever is not a source are no part of a release', () => {
  assert.deepEqual(
    ['package.json', 'LICENSE', 'src/a.ts', 'src/b/c.ts', 'src/a.test.ts', 'src/b/fixtures/x.ts', 'src/a.db', 'notes.md', '.npmrc', 'src/.env'].filter(
      isReleased,
    ),
    ['package.json', 'LICENSE', 'src/a.ts', 'src/b/c.ts'],
  )
})
