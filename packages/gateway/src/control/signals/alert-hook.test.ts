import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { AlertHook, alertsWaitingMax, type Alert, type Message } from './alert-hook.ts'

const minuteMs = 60_000
const alert: Alert = {
  kind: 'ownership-failed',
  tenant: 'acme',
  agent: 'mallory',
  session: 's',
  count: 1,
  seconds: 300,
  time: '2026-11-25T09:00:00.000Z',
  index: 7,
}

/** A hook by a clock that only its pauses move. */
function hooked(perMinute: number) {
  const world = { nowMs: 0, isAway: false, messages: [] as Message[], ids: [] as string[], counts: [] as string[], reports: 0, hold: Promise.resolve() }
  const hook = new AlertHook(
    {
      deliver: async (id, message) => {
        world.ids.push(id)
        await world.hold
        if (world.isAway) throw new Fault('away', 'unknown')
        world.messages.push(message)
      },
      newId: () => `msg_${world.ids.length}`,
      pause: async (milliseconds) => {
        await new Promise(setImmediate)
        world.nowMs += milliseconds
      },
      nowMs: () => world.nowMs,
      count: (result) => world.counts.push(result),
      report: () => (world.reports += 1),
    },
    perMinute,
  )
  return {
    hook,
    world,
    turns: async (count = 30) => {
      for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
    },
  }
}

test('past its number a minute nothing is sent; what was left out is told by its kinds when the minute is over', async () => {
  const { hook, world, turns } = hooked(2)
  for (let each = 0; each < 5; each += 1) hook.offer({ ...alert, kind: each < 3 ? 'refresh-burst' : 'ownership-failed' })
  await turns()
  assert.deepEqual(
    world.messages.map((message) => [message.alert?.kind, message.leftOut]),
    [
      ['refresh-burst', {}],
      ['refresh-burst', { 'refresh-burst': 1, 'ownership-failed': 2 }],
    ],
    'the next message told of them',
  )
  await turns()
  world.nowMs += minuteMs
  for (let each = 0; each < 2; each += 1) hook.offer(alert)
  await turns()
  const minuteBefore = world.nowMs
  hook.offer(alert)
  await turns()
  assert.equal(world.nowMs, minuteBefore + minuteMs)
  assert.deepEqual(world.messages.at(-1), { alert: undefined, leftOut: { 'ownership-failed': 1 } })
  assert.equal(world.messages.length, 5)
  await hook.close()
})

test('a message that does not arrive is tried again under the same id, and told of when the receiver is back', async () => {
  const { hook, world, turns } = hooked(10)
  world.isAway = true
  hook.offer(alert)
  await turns(8)
  assert.deepEqual([world.ids.slice(0, 3), world.reports], [['msg_0', 'msg_0', 'msg_0'], 1])
  world.isAway = false
  await turns()
  assert.deepEqual(world.messages, [{ alert: undefined, leftOut: { 'ownership-failed': 1 } }])
  await hook.close()
})

test('while the receiver hangs a few alerts wait, and the rest is a number', async () => {
  const { hook, world, turns } = hooked(600)
  const { promise, resolve } = Promise.withResolvers<void>()
  world.hold = promise
  for (let each = 0; each < 500; each += 1) hook.offer(alert)
  assert.equal(world.counts.filter((result) => result === 'left-out').length, 499 - alertsWaitingMax, 'one is on its way')
  resolve()
  await turns(100)
  assert.equal(world.messages.filter((message) => message.alert).length, alertsWaitingMax + 1)
  await hook.close()
})

test('after its end nothing is sent', async () => {
  const { hook, world, turns } = hooked(10)
  await hook.close()
  hook.offer(alert)
  await turns()
  assert.deepEqual(world.ids, [])
})
