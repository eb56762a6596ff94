// Logins that are started and never finished, to fill the gateway's memory or to keep others from logging in.
import assert from 'node:assert/strict'
import test from 'node:test'
import { loginsMax, loginsPerAgentMax } from '../../packages/gateway/src/control/login/logins.ts'
import { people } from '../fixtures/people.ts'

test('one agent has so many logins open and no more, and all agents together too', async () => {
  await using all = await people()
  const start = async (agent: string): Promise<boolean> => {
    const started = await all.whole.admin('session.start', { tenant: 'acme', agent, person: 'oscar' })
    return JSON.stringify(started).includes('"kind":"started"')
  }
  for (let count = 0; count < loginsPerAgentMax; count += 1) assert.ok(await start('bot'))
  assert.equal(await start('bot'), false)
  for (let begun = loginsPerAgentMax; begun < loginsMax; begun += loginsPerAgentMax) {
    const agent = `bot-${begun}`
    await all.whole.admin('agent.add', { tenant: 'acme', agent, person: 'oscar' })
    for (let count = 0; count < loginsPerAgentMax; count += 1) assert.ok(await start(agent))
  }
  await all.whole.admin('agent.add', { tenant: 'acme', agent: 'one-more', person: 'oscar' })
  assert.equal(await start('one-more'), false)
})
