/**
 * Runs the tests on the Node that runs this: the short suite, or with `--long` the long one as well. Other arguments name files.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const args = process.argv.slice(2)
const isLong = args.includes('--long')
const named = args.filter((arg) => !arg.startsWith('--'))
const short = ['packages/*/src/**/*.test.ts', 'test/{ports,attacks,cli,e2e,promises,docs,fuzz,limits,release,simulation}/**/*.test.ts']
const files = named.length > 0 ? named : globSync(isLong ? ['test/long/**/*.test.ts'] : short).sort()
if (files.length === 0) {
  process.stderr.write('no test files found\n')
  process.exit(1)
}
const reporter = process.env['CI'] === undefined && process.stdout.isTTY ? 'spec' : 'dot'
const run = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-concurrency=3',
    `--test-timeout=${isLong ? 900_000 : 120_000}`,
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    ...(reporter === 'dot' ? ['--test-reporter=./test/summary-reporter.ts', '--test-reporter-destination=stdout'] : []),
    ...files,
  ],
  { stdio: 'inherit' },
)
process.exit(run.status ?? 1)
