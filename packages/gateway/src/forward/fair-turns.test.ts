import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FairTurns } from './fair-turns.ts'

test('one agent has at most half of the places and half of the queue', () => {
  const turns = new FairTurns<string>(4, 4)
  const entered = (agent: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => (!turns.hasRoomFor(agent) ? 'refused' : turns.enter(agent, `${agent}${index}`) ? 'go' : 'wait'))
  assert.deepEqual(entered('a', 5), ['go', 'go', 'wait', 'wait', 'refused'])
  assert.deepEqual(entered('b', 5), ['go', 'go', 'wait', 'wait', 'refused'])
  assert.deepEqual(entered('c', 1), ['refused'])
})

test('those that wait go agent by agent', () => {
  const turns = new FairTurns<string>(2, 8)
  for (const item of ['a0', 'b0', 'a1', 'a2', 'b1', 'c0', 'c1']) turns.enter(item.charAt(0), item)
  const order: string[] = []
  let going = ['a0', 'b0']
  while (going.length > 0) {
    const [item = '', ...rest] = going
    const next = turns.leave(item.charAt(0), item)
    if (next !== undefined) order.push(next)
    going = next === undefined ? rest : [...rest, next]
  }
  assert.deepEqual(order, ['a1', 'b1', 'c0', 'a2', 'c1'])
})

test('who gives up waiting takes no turn', () => {
  const turns = new FairTurns<string>(1, 4)
  for (const item of ['a0', 'a1', 'b0']) turns.enter(item.charAt(0), item)
  assert.equal(turns.leave('a', 'a1'), undefined)
  assert.deepEqual(turns.waiting, ['b0'])
  assert.equal(turns.leave('a', 'a0'), 'b0')
})

test('whatever comes and goes, no place is lost and nobody waits beside a place that is theirs', () => {
  const step = fc.record({ agent: fc.constantFrom('a', 'b', 'c'), leaves: fc.boolean(), which: fc.nat() })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 }), fc.array(step, { maxLength: 60 }), (goingMax, waitingMax, steps) => {
      const turns = new FairTurns<string>(goingMax, waitingMax)
      const going = new Set<string>()
      for (const [index, { agent, leaves, which }] of steps.entries()) {
        const present = [...going, ...turns.waiting]
        const leaving = leaves ? present[which % present.length] : undefined
        const item = `${agent}${index}`
        if (leaving !== undefined) {
          going.delete(leaving)
          const next = turns.leave(leaving.charAt(0), leaving)
          if (next !== undefined) going.add(next)
        } else if (turns.hasRoomFor(agent) && turns.enter(agent, item)) going.add(item)
        const share = (whose: string): number => [...going].filter((one) => one.startsWith(whose)).length
        assert.ok(going.size <= goingMax && turns.waiting.length <= waitingMax)
        for (const whose of ['a', 'b', 'c']) assert.ok(share(whose) <= Math.ceil(goingMax / 2))
        if (going.size < goingMax) for (const waiting of turns.waiting) assert.equal(share(waiting.charAt(0)), Math.ceil(goingMax / 2))
      }
    }),
  )
})
