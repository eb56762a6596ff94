import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Detector, signalsMax, signalWindowMs, watchedMax, type Signal } from './detector.ts'

function watching(): { readonly detector: Detector; readonly raised: Signal[]; readonly leftOut: Signal[] } {
  const [raised, leftOut]: [Signal[], Signal[]] = [[], []]
  return {
    detector: new Detector(
      (signal) => raised.push(signal),
      (signal) => leftOut.push(signal),
    ),
    raised,
    leftOut,
  }
}

const bot = { kind: 'refresh-burst', tenant: 'acme', agent: 'bot' } as const
const seconds = signalWindowMs / 1000

test('a signal is raised by the sighting that makes it enough, and by none before', () => {
  const { detector, raised } = watching()
  for (const at of [0, 1]) detector.see(bot, 3, at)
  assert.deepEqual(raised, [])
  detector.see(bot, 3, signalWindowMs - 1)
  assert.deepEqual(raised, [{ ...bot, count: 3, seconds }])
})

test('what comes in the next window does not count with what came before', () => {
  const { detector, raised } = watching()
  for (const at of [0, 1, signalWindowMs]) detector.see(bot, 3, at)
  assert.deepEqual(raised, [])
})

test('what goes on makes one signal for each window, with its count, until it is over', () => {
  const { detector, raised } = watching()
  for (let at = 0; at < 2 * signalWindowMs; at += signalWindowMs / 100) detector.see(bot, 10, at)
  detector.closeWindows(2 * signalWindowMs)
  assert.deepEqual(
    raised.map(({ count }) => count),
    [10, 90, 100],
  )
  for (const windows of [3, 4, 5]) detector.closeWindows(windows * signalWindowMs)
  assert.equal(raised.length, 3, 'it is over')
})

test('a few more after a signal are no signal', () => {
  const { detector, raised } = watching()
  for (let times = 0; times < 15; times += 1) detector.see(bot, 10, times)
  detector.closeWindows(signalWindowMs)
  assert.equal(raised.length, 1)
})

test('kinds, agents, sessions and providers are counted apart', () => {
  const { detector, raised } = watching()
  const others = [
    bot,
    { ...bot, agent: 'other' },
    { kind: 'refresh-burst', tenant: 'acme' },
    { ...bot, session: 's' },
    { kind: 'slow-path', tenant: 'acme', agent: 'bot' },
    { ...bot, provider: 'p' },
  ] as const
  for (const other of others) detector.see(other, 2, 0)
  assert.deepEqual(raised, [])
  for (const other of others) detector.see(other, 2, 1)
  assert.equal(raised.length, others.length)
})

test('the oldest makes room when too much is watched', () => {
  const { detector, raised } = watching()
  detector.see(bot, 2, 0)
  for (let each = 0; each < watchedMax; each += 1) detector.see({ ...bot, session: String(each) }, 2, 1)
  detector.see(bot, 2, 2)
  assert.deepEqual(raised, [], 'it was forgotten')
  detector.see({ ...bot, session: String(watchedMax - 1) }, 2, 2)
  assert.equal(raised.length, 1, 'a younger one was not')
})

test('signals of one window are bounded over all kinds; the rest is left out', () => {
  const { detector, raised, leftOut } = watching()
  for (let each = 0; each < signalsMax + 5; each += 1) detector.see({ ...bot, session: String(each) }, 1, each)
  assert.deepEqual([raised.length, leftOut.length], [signalsMax, 5])
  detector.see({ ...bot, session: 'later' }, 1, signalWindowMs)
  assert.equal(raised.length, signalsMax + 1)
})
