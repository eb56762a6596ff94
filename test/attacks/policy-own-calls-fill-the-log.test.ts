import assert from 'node:assert/strict'
import { test } from 'node:test'
import { denialsWrittenSinglyMax } from '../../packages/gateway/src/ledger.ts'
import { ownCallsAtOnceMax } from '../../packages/gateway/src/policy/quota.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('[T6] an agent that asks the gateway of itself without end, which no rule and no quota of the operator is about, soon buys no more entries, also after a restart', async () => {
  await using whole = await wholeGateway()
  await whole.configure([], [{ id: 'all', per: ['agent'], requests: 10, window: '1h' }])
  await whole.start()
  await whole.enrolAgent()
  await whole.enrolAgent('other')
  const link = async (agent: string): Promise<string> => (await (await whole.agent(agent)).whoami()).kind
  const flooder = await whole.agent()
  const kinds: string[] = []
  for (let times = 0; times < ownCallsAtOnceMax + 60; times += 1) kinds.push((await flooder.whoami()).kind)
  const answered = kinds.filter((kind) => kind === 'whoami').length
  assert.ok(answered >= ownCallsAtOnceMax - 10 && answered <= ownCallsAtOnceMax + 40, String(answered)) // what drains meanwhile is let through
  assert.equal(kinds.at(-1), 'refused')
  assert.equal(await link('other'), 'whoami', 'others are not held up')
  const before = await whole.events()
  const entries = before.filter((event) => event.type === 'decision' && event.decision === 'deny').length
  assert.ok(entries <= 2 * denialsWrittenSinglyMax, 'refusals in bulk are counted, not written')
  await whole.stop()
  await whole.start()
  const again = await whole.agent()
  let answeredAgain = 0
  while ((await again.whoami()).kind === 'whoami') answeredAgain += 1
  assert.ok(answeredAgain < ownCallsAtOnceMax / 2, 'what was used before the restart counts after it')
})
