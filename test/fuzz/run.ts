/** `npm run fuzz -- TARGET --seconds N --seed S`: fuzzes one target, or all of them one after the other for that long each. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import { targets } from './targets/index.ts'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } })
const [name = 'all'] = positionals
const chosen = targets.filter((target) => name === 'all' || target.name === name)
if (chosen.length === 0) {
  process.stderr.write(`no such target; there are all, ${targets.map((target) => target.name).join(', ')}\n`)
  process.exit(64)
}
let found = 0
for (const target of chosen) {
  const { summary, finding } = await campaign(target, Number(values.seed ?? randomInt(2 ** 31)), Number(values.seconds))
  process.stdout.write(`${summary}\n`)
  if (finding === undefined) continue
  found += 1
  process.stdout.write(`  ${finding}\n`)
}
process.exit(found > 0 ? 1 : 0)
