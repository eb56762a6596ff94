import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { runsPerAgentMax } from '../../packages/gateway/src/audit/runs/run-state.ts'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent that records without end soon buys no more entries, in however many runs, and holds no other agent up', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole, { recordsPerMinute: 64 })
  await whole.enrolAgent('other')
  const flood = async (): Promise<number> => {
    let taken = 0
    for (let times = 0; times < 40; times += 1) {
      const bot = await recorder(whole, 'bot', randomUUID())
      if ((await bot.open()).said !== 'answered') continue
      for (let first = 1; first < 400; first += 64) {
        const sent = await bot.send(
          first,
          Array.from({ length: 64 }, () => happened('tool.ran')),
        )
        if (sent.said === 'answered') taken += 64
        else assert.equal(sent.said, 'policy.quota-exhausted')
      }
      for (let first = 500; first < 505; first += 1) await bot.send(first * 10, []) // gaps are entries too
    }
    return taken
  }
  const taken = await flood()
  assert.ok(taken >= 64 && taken <= 2 * 64 + 32, String(taken))
  const ofBot = (await whole.events()).filter((event) => (event.type === 'record' || event.type === 'runtime') && event.caller.agent === 'bot')
  assert.ok(ofBot.length <= 2 * 64 + 32, String(ofBot.length))
  assert.ok((await whole.events()).length < 260, 'refusals in bulk are counted, not written')
  const other = await recorder(whole, 'other')
  await other.open()
  assert.equal((await other.send(1, [happened('tool.ran')])).said, 'answered')
})

test('an agent that opens run after run and leaves them has no more of them than its share', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole, { recordsPerMinute: 1000, heartbeat: '100ms', missedHeartbeats: 1 })
  const openOne = async (): Promise<string> => (await (await recorder(whole, 'bot', randomUUID())).open()).said
  const said: string[] = []
  for (let times = 0; times < runsPerAgentMax + 1; times += 1) said.push(await openOne())
  const open = async (): Promise<number> => {
    const acts = (await whole.events()).flatMap((event) => (event.type === 'runtime' ? [event.act] : []))
    return acts.filter((act) => act === 'opened').length - acts.filter((act) => act === 'dropped').length
  }
  while ((await openOne()) !== 'answered') await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok((await open()) <= runsPerAgentMax, 'the longest silent one makes room')
  assert.ok(said.slice(0, 3).every((one) => one === 'answered'))
  await whole.assertLogVerifies(whole.running.logKey)
})

test('what an agent recorded before a restart of the gateway counts after it', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole, { recordsPerMinute: 64 })
  const run = randomUUID()
  const bot = await recorder(whole, 'bot', run)
  await bot.open()
  const batch = (count: number): object[] => Array.from({ length: count }, () => happened('tool.ran'))
  assert.equal((await bot.send(1, batch(64))).said, 'answered')
  assert.equal((await bot.send(65, batch(60))).said, 'answered')
  await whole.stop()
  await whole.start()
  assert.equal((await (await recorder(whole, 'bot', run)).send(125, batch(64))).said, 'policy.quota-exhausted')
})
