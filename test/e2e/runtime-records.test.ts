import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEvent } from '@sallyport/contract'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const isOfRuns = (event: LogEvent) => event.type === 'record' || event.type === 'runtime'

test('[L3] records arrive numbered over the agent’s own connection, and a repeated message is taken once', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  assert.deepEqual((await bot.open()).body, { next: 1, heartbeatMs: 30_000 })
  assert.equal((await bot.open()).said, 'answered', 'the answer was lost')
  const first = await bot.send(1, [happened('bridge.opened'), happened('client.refused', { code: 'connect.secret-required' })])
  assert.equal(first.body['next'], 3, JSON.stringify(first))
  const again = await bot.send(1, [happened('bridge.opened'), happened('client.refused', { code: 'connect.secret-required' })])
  assert.deepEqual(again.body, first.body)
  const more = await bot.send(2, [happened('client.refused', { code: 'connect.secret-required' }), happened('bridge.closed')], { isLast: true })
  assert.equal(more.body['next'], 4)
  const events = await whole.events()
  assert.deepEqual(
    events.filter(isOfRuns).map((event) => (event.type === 'record' ? [event.number, event.sequence, event.kind] : event.type === 'runtime' ? event.act : '')),
    ['opened', [1, 1, 'bridge.opened'], [2, 2, 'client.refused'], [3, 3, 'bridge.closed'], 'closed'],
  )
  const indexes = Array.isArray(first.body['indexes']) ? first.body['indexes'].map(Number) : []
  assert.deepEqual(
    indexes.map((index) => events[index]?.type),
    ['record', 'record'],
  )
  assert.equal(
    events.some(({ type }) => type === 'decision'),
    false,
    'they cost no entries beside their own',
  )
  await whole.assertLogVerifies(whole.running.logKey)
  assert.deepEqual(whole.faults, [])
})
