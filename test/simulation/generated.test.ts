import { test } from 'node:test'
import { runGenerated } from './generated.ts'

/** Each with nodes, callers, thieves, renewals and revocations of its own, and whatever else can go wrong. `npm run simulate` goes on from there. */
const seedMax = 600

test(`[S5] [S7] [S10] no run of ${seedMax} seeds lets anyone past the session's checks`, async (t) => {
  for (let seed = 1; seed <= seedMax; seed += 1) {
    try {
      await runGenerated(seed)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
  t.diagnostic(`seeds 1 to ${seedMax}`)
})
