import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertReceiver, alertSecret, alertsTo } from '../fixtures/alert-receiver.ts'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent that drops records of its own leaves a gap that the log names and the operator is alerted of, and cannot fill it afterwards', async () => {
  await using receiver = await alertReceiver()
  await using whole = await wholeGateway()
  await configureRecording(whole, {}, alertsTo(receiver))
  await whole.admin('secret.set', { name: 'alert-receiver', value: alertSecret, person: 'oscar' })
  const bot = await recorder(whole)
  await bot.open()
  await bot.send(1, [happened('tool.ran')])
  const dropped = await bot.send(4, [happened('tool.ran')])
  assert.equal(dropped.said, 'answered', 'what comes after the hole is evidence too')
  const heartbeat = await bot.send(9, [])
  assert.equal(heartbeat.body['next'], 9, 'a heartbeat tells of the end that was dropped')
  assert.equal((await bot.send(2, [happened('harmless'), happened('harmless')])).said, 'audit.records-conflict')

  const events = await whole.events()
  const gaps = events.flatMap((event) => (event.type === 'runtime' && event.act === 'gap' ? [[event.next, event.missing]] : []))
  assert.deepEqual(gaps, [
    [4, 2],
    [9, 4],
  ])
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'record' ? [[event.number, event.sequence]] : [])),
    [
      [1, 1],
      [4, 2],
    ],
  )
  const alert = await receiver.alertOf('record-gap')
  assert.deepEqual([alert.tenant, alert.agent], ['acme', 'bot'])
  assert.deepEqual([(await receiver.alertOf('record-conflict')).agent], ['bot'])
  await whole.assertLogVerifies(whole.running.logKey)
})
