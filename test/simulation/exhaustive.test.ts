import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore } from './explore.ts'
import { runScenario, scenarios } from './scenarios.ts'

/** Fewer runs than this, and the scenario does not hold what its name says. */
const runsMin = 5

for (const scenario of scenarios) {
  test(`[S5] in every order nothing gets past the gate: ${scenario.name}`, async (t) => {
    const { runs, redundant, isComplete } = await explore((choose) => runScenario(scenario, choose))
    assert.ok(isComplete && runs >= runsMin, `${runs} runs`)
    t.diagnostic(`all of ${runs} runs; ${redundant} more differ only in the order of moves that commute`)
  })
}
