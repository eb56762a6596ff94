import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { plant } from '../simulation/mutate.ts'
import { mutants } from '../simulation/mutants.ts'

describe('the simulation finds every mistake that is planted', { concurrency: 2 }, () => {
  for (const mutant of mutants) {
    test(`[S5] ${mutant.name}: ${mutant.mistake}`, async (t) => {
      const { isCaught, by } = await plant(mutant)
      t.diagnostic(by)
      assert.ok(isCaught, by)
    })
  }

  test('and nothing in what is as it should be', async () => {
    assert.equal((await plant({ name: 'none', mistake: 'none', patches: [] }, 20)).isCaught, false)
  })
})
