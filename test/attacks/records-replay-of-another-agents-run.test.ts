import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent that sends the messages of another agent’s run again, or goes on with that run, neither ends it nor moves its numbers', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await whole.enrolAgent('mallory')
  const bot = await recorder(whole)
  await bot.open()
  const message = [happened('tool.ran', { name: 'ls' })]
  await bot.send(1, message)
  const mallory = await recorder(whole, 'mallory', bot.run)
  for (const [first, records, more] of [
    [1, message, {}],
    [2, [happened('forged')], {}],
    [2, [], { isLast: true }],
    [900, [], {}],
  ] as const)
    assert.equal((await mallory.send(first, records, more)).said, 'audit.run-unknown')
  assert.equal((await mallory.open()).said, 'answered', 'a run of its own may have any name')
  assert.equal((await mallory.send(1, [happened('of-mallory')], { isLast: true })).said, 'answered')
  assert.deepEqual((await bot.send(2, [happened('goes-on')])).body['next'], 3)
  const records = (await whole.events()).flatMap((event) => (event.type === 'record' ? [[event.caller.agent, event.number, event.kind]] : []))
  assert.deepEqual(records, [
    ['bot', 1, 'tool.ran'],
    ['mallory', 1, 'of-mallory'],
    ['bot', 2, 'goes-on'],
  ])
  await whole.assertLogVerifies(whole.running.logKey)
})
