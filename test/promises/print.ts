import { citations } from './citations.ts'
import { promises } from './promises.ts'

const cited = citations()
const rows = promises.map(({ id, who, promise, claimed }) => ({ id, who, promise, claimed, tests: cited.get(id) ?? [] }))
if (process.argv.includes('--json')) {
  process.stdout.write(
    `${JSON.stringify(
      rows.map(({ id, claimed, tests }) => ({ id, claimed, tests })),
      null,
      2,
    )}\n`,
  )
} else {
  for (const { id, who, promise, claimed, tests } of rows) {
    process.stdout.write(
      `${claimed ? 'kept' : 'open'}  ${id.padEnd(4)}${who.padEnd(9)}${promise}${tests.length > 0 ? `\n        ${tests.join('\n        ')}` : ''}\n`,
    )
  }
  const kept = rows.filter(({ claimed }) => claimed)
  process.stdout.write(`\n${kept.length} of ${rows.length} promises are claimed: ${kept.map(({ id }) => id).join(', ')}\n`)
}
