import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { explore } from '../simulation/explore.ts'
import { runGenerated } from '../simulation/generated.ts'
import { longScenarios, runScenario } from '../simulation/scenarios.ts'

describe('the longer runs of the simulation', () => {
  for (const scenario of longScenarios) {
    test(`[S5] [S10] in every order nothing gets past the gate: ${scenario.name}`, async (t) => {
      const { runs, redundant, isComplete } = await explore((choose) => runScenario(scenario, choose))
      assert.ok(isComplete && runs > 100, `${runs} runs`)
      t.diagnostic(`all of ${runs} runs; ${redundant} more differ only in the order of moves that commute`)
    })
  }

  test('[S5] [S7] [S10] generated runs, from a seed that nobody has chosen', async (t) => {
    const [from, end] = [Date.now() % 1_000_000_000, performance.now() + 60_000]
    let seed = from
    for (; performance.now() < end; seed += 1) {
      try {
        await runGenerated(seed)
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
    t.diagnostic(`seeds ${from} to ${seed - 1}`)
  })
})
