import assert from 'node:assert/strict'
import { chmod, lstat, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { readConfiguration, replaceConfiguration } from './replace-file.ts'

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-files-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test('the mode stays, the backup has it too, and a link leads where it led', async (t) => {
  const directory = await folder(t)
  const [real, link, backup] = ['real.json', 'link.json', 'backup'].map((name) => join(directory, name)) as [string, string, string]
  await writeFile(real, 'old')
  await chmod(real, 0o640)
  await symlink('real.json', link)
  await replaceConfiguration(await readConfiguration(link), 'new', backup)
  assert.ok((await lstat(link)).isSymbolicLink())
  assert.deepEqual([await readFile(link, 'utf8'), await readFile(backup, 'utf8')], ['new', 'old'])
  assert.deepEqual([await modeOf(real), await modeOf(backup)], [0o640, 0o640])
  assert.deepEqual((await readdir(directory)).toSorted(), ['backup', 'link.json', 'real.json'])
})

test('a new file is for its owner alone, its folder is made, and nothing is backed up', async (t) => {
  const directory = await folder(t)
  const path = join(directory, '.client', 'config.json')
  await replaceConfiguration(await readConfiguration(path), 'new', join(directory, 'backup'))
  assert.equal(await modeOf(path), 0o600)
  assert.deepEqual(await readdir(directory), ['.client'])
})

test('a file that was changed since it was read is not replaced, and neither is a backup', async (t) => {
  const directory = await folder(t)
  const [path, backup] = [join(directory, 'config.json'), join(directory, 'backup')]
  await writeFile(path, 'old')
  const read = await readConfiguration(path)
  await writeFile(path, 'newer')
  const isNotDone = (error: unknown): boolean => error instanceof Fault && error.outcome === 'not-done'
  await assert.rejects(replaceConfiguration(read, 'ours', backup), isNotDone)
  await writeFile(backup, 'precious')
  await assert.rejects(replaceConfiguration(await readConfiguration(path), 'ours', backup), isNotDone)
  assert.deepEqual([await readFile(path, 'utf8'), await readFile(backup, 'utf8')], ['newer', 'precious'])
})

test('what is no text is not read as one', async (t) => {
  const path = join(await folder(t), 'config.json')
  await writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]))
  await assert.rejects(readConfiguration(path), /not UTF-8/)
})
