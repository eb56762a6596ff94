/** Everything about the code that needs no running of it: types, lint, format, dead code, and who may import whom. */
import { spawnSync } from 'node:child_process'

const checks: readonly (readonly [name: string, ...command: string[]])[] = [
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'prettier', '--check', '--log-level', 'warn', 'packages', 'bin', 'test', 'demo', 'checks', 'release', 'bench'],
  ['dead code', 'knip'],
  ['dependencies', 'node', 'checks/dependencies.ts'],
]
const failed = checks.filter(([name, ...command]) => {
  const { status } = spawnSync('npm', ['exec', '--no', '--', ...command], { stdio: 'inherit' })
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}\n`)
  return status !== 0
})
process.exit(failed.length > 0 ? 1 : 0)
