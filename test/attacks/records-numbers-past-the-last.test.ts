// Numbers so high that the next one is none: the entry that names it could be read by nobody, and the gateway would never start again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordLimits } from '@sallyport/contract'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('[L1] no numbers of records leave an entry in the log that cannot be read', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  await bot.open()
  for (const [first, count] of [
    [recordLimits.numberMax, 1],
    [recordLimits.numberMax - 1, 2],
    [recordLimits.numberMax + 1, 0],
    [Number.MAX_SAFE_INTEGER, 1],
    [0, 1],
    [-1, 1],
  ] as const)
    assert.equal((await bot.send(first, Array<object>(count).fill(happened('tool.ran')), { isLast: true })).said, 'access.malformed', `${first} and ${count}`)
  assert.equal((await bot.send(recordLimits.numberMax - 1, [happened('tool.ran')])).said, 'answered')
  assert.equal((await bot.send(recordLimits.numberMax, [], { isLast: true })).said, 'answered')
  const { logKey } = whole.running
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  await whole.start()
})
