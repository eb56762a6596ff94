import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { objectionsToContents } from './check-contents.ts'
import { commitTime, ownPackages, type OwnPackage } from './packages.ts'
import { sha256 } from './provenance.ts'
import { run } from './run.ts'
import { sbomName, sbomOf } from './sbom.ts'

/** That the tree is the commit, before anything is made of it. @throws Error */
export function assertCleanCommit(root: string, commit: string): void {
  const head = run('git', ['rev-parse', 'HEAD'], root).toString('utf8').trim()
  if (head !== commit) throw new Error(`the tree is at ${head}, not at ${commit}`)
  const changed = run('git', ['status', '--porcelain'], root).toString('utf8')
  if (changed !== '') throw new Error(`the tree is not what the commit holds:\n${changed}`)
}

/** Makes all files of a release twice and gives the first, when both are alike and hold what the commit holds. @throws Error that says what is wrong */
export async function makeRelease(root: string, commit: string): Promise<ReadonlyMap<string, Buffer>> {
  const [first, second] = [await makeOnce(root, commit), await makeOnce(root, commit)]
  for (const [name, bytes] of first) {
    const again = second.get(name)
    if (!again || sha256(again) !== sha256(bytes)) throw new Error(`${name} came out otherwise the second time`)
  }
  return first
}

async function makeOnce(root: string, commit: string): Promise<ReadonlyMap<string, Buffer>> {
  const { version, packages } = ownPackages(root)
  const time = commitTime(root, commit)
  const made = new Map<string, Buffer>()
  for (const one of packages) {
    const tarball = await pack(one, root)
    const objections = objectionsToContents(tarball, one, commit, root)
    if (objections.length > 0) throw new Error(`the tarball of ${one.name}: ${objections.join('; ')}`)
    made.set(sbomName(one).replace(/\.cdx\.json$/, '.tgz'), tarball)
    made.set(sbomName(one), Buffer.from(sbomOf(one, root, time)))
  }
  const sources = run('git', ['archive', '--format=tar', `--prefix=sallyport-${version}/`, commit], root)
  return made.set(`sallyport-${version}.tar.gz`, gzipSync(sources, { level: 9 }))
}

async function pack({ name }: OwnPackage, root: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pack-'))
  try {
    run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder, '--workspace', name], root)
    const [file = '', ...more] = await readdir(folder)
    if (more.length > 0) throw new Error(`npm packed more than ${name}`)
    return await readFile(join(folder, file))
  } finally {
    await rm(folder, { recursive: true })
  }
}

export async function writeAll(files: ReadonlyMap<string, Uint8Array | string>, folder: string): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes, { flag: 'wx' })
}
