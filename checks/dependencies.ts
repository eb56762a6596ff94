/** Who may import whom. Asserts that every module was seen: a check that cruises nothing finds nothing. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const { stdout, stderr } = spawnSync('npm', ['exec', '--no', '--', 'depcruise', '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'packages'], {
  encoding: 'utf8',
  maxBuffer: 256 * 1024 * 1024,
})
const report: {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: { readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[] }
} = JSON.parse(stdout || '{"modules":[],"summary":{"violations":[]}}')
const files = globSync('packages/*/src/**/*.ts')
const seen = new Set(report.modules.map(({ source }) => source))
const unseen = files.filter((file) => !seen.has(file))
for (const { from, to, rule } of report.summary.violations) process.stdout.write(`${rule.name}: ${from} imports ${to}\n`)
if (unseen.length > 0) process.stdout.write(`not seen by the check: ${unseen.slice(0, 5).join(', ')}${unseen.length > 5 ? ' and more' : ''}\n${stderr}`)
const isClean = report.summary.violations.length === 0 && unseen.length === 0
process.stdout.write(`${files.length - unseen.length} of ${files.length} modules checked, ${report.summary.violations.length} violations\n`)
process.exit(isClean ? 0 : 1)
