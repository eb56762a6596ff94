import { spawnSync } from 'node:child_process'

/** Runs a program to its end for what it prints. @throws Error with what it said when it failed */
export function run(command: string, args: readonly string[], folder: string): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, maxBuffer: 256 * 1024 * 1024, timeout: 120_000 })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr.toString('utf8')}`)
  return stdout
}
