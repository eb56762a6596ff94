import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { RunState, runsMax, runsPerAgentMax } from './audit/runs/run-state.ts'
import { RunRegister } from './run-register.ts'

test('where all room for runs is taken the longest silent one makes some, and where none is silent nobody begins', async () => {
  let nowMs = 1_000_000
  const told: string[] = []
  const state = new RunState(1000)
  const register = new RunRegister(
    state,
    { heartbeatMs: 1000, silentAfterMs: 3000 },
    {
      enter: async (change) => {
        const event = change(nowMs)
        if (event.type === 'runtime') told.push(`${event.act} ${event.caller.agent}`)
        return told.length
      },
      now: () => nowMs,
      see: () => undefined,
    },
  )
  const open = async (agent: string): Promise<string> => {
    const caller = { tenant: 'acme', agent, certificate: 'c' }
    const heard = await register.hear({ request: 'r', caller, run: randomUUID(), recorded: undefined })
    return heard.kind === 'refused' ? heard.problem.code : 'opened'
  }
  for (let at = 0; at < runsMax; at += 1) assert.equal(await open(`agent-${Math.floor(at / runsPerAgentMax)}`), 'opened')
  assert.equal(await open('late'), 'edge.overloaded')
  nowMs += 4000
  register.sweep()
  assert.equal(await open('late'), 'opened')
  assert.deepEqual(told.slice(-2), ['dropped agent-0', 'opened late'])
})
