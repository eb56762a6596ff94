import { run } from './run.ts'
import { readTarball } from './tarball.ts'
import type { OwnPackage } from './packages.ts'

/** Of the files of a package, those that users get: its sources, without tests and what only tests read. */
export function isReleased(path: string): boolean {
  return path === 'package.json' || path === 'LICENSE' || (/^src\/.+\.ts$/.test(path) && !/\.test\.ts$|(?:^|\/)fixtures\//.test(path))
}

/** What is in a tarball and should not be, is missing, or is not what the commit holds; empty when all is well. @throws Error for a tarball that is not well-formed */
export function objectionsToContents(tarball: Uint8Array, { folder }: OwnPackage, commit: string, root: string): readonly string[] {
  const files = readTarball(tarball)
  const inCommit = new Set(
    run('git', ['ls-tree', '-r', '--name-only', '-z', `${commit}:${folder}`], root)
      .toString('utf8')
      .split('\0')
      .filter(isReleased),
  )
  return [
    ...[...files.keys()].flatMap((path) => (inCommit.has(path) ? [] : [`${path} should not be in it`])),
    ...[...inCommit].flatMap((path) => {
      const packed = files.get(path)
      if (!packed) return [`${path} is missing`]
      return packed.equals(run('git', ['cat-file', 'blob', `${commit}:${folder}/${path}`], root)) ? [] : [`${path} is not what the commit holds`]
    }),
  ]
}
