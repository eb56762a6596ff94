import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { run } from './run.ts'

const manifest = z.object({ name: z.string(), version: z.string() })
const workspace = manifest.extend({ workspaces: z.array(z.string()) })

export interface OwnPackage {
  readonly name: string
  readonly version: string
  /** Relative to the root. */
  readonly folder: string
}

/** What is released: the packages of the workspace, in its order, and the version that all of them have. @throws Error when they differ */
export function ownPackages(root: string): { readonly version: string; readonly packages: readonly OwnPackage[] } {
  const read = (folder: string): unknown => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const { version, workspaces } = workspace.parse(read('.'))
  const packages = workspaces.map((folder) => ({ folder, ...manifest.parse(read(folder)) }))
  const other = packages.find((one) => one.version !== version)
  if (other) throw new Error(`${other.name} has version ${other.version}, the workspace ${version}`)
  return { version, packages }
}

/** The time of a commit, which is the time of everything that is made of it. */
export function commitTime(root: string, commit: string): Date {
  return new Date(Number(run('git', ['log', '-1', '--format=%ct', commit], root).toString('utf8')) * 1000)
}
