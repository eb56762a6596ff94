import { randomInt } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { campaign } from '../fuzz/campaign.ts'
import { targets } from '../fuzz/targets/index.ts'

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 10)

for (const target of targets) {
  test(`${target.name} keeps its promises for ${seconds} seconds of new inputs`, async (t: TestContext) => {
    const { summary, finding } = await campaign(target, randomInt(2 ** 31), seconds)
    t.diagnostic(summary)
    if (finding !== undefined) throw new Error(`${summary}\n${finding}`)
  })
}
