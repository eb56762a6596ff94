import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { Fault } from '@sallyport/contract'
import { callsOver, serveCalls, type Calls } from './calls.ts'

interface Api {
  add(one: number, other: number): Promise<number>
  fail(outcome: Fault['outcome']): Promise<never>
  break(): never
  never(): Promise<never>
}

function bench(deadlineMs?: number): { calls: Calls<Api>; close: () => void; reported: unknown[] } {
  const { port1, port2 } = new MessageChannel()
  const reported: unknown[] = []
  const offer: Api = {
    add: async (one, other) => one + other,
    fail: async (outcome) => {
      throw new Fault('the disk is full', outcome)
    },
    break: () => {
      throw new Error('secret inner state')
    },
    never: () => new Promise(() => undefined),
  }
  serveCalls(port1, offer, (error) => reported.push(error))
  return { calls: callsOver<Api>(port2, ['add', 'fail', 'break', 'never'], deadlineMs), close: () => port1.close(), reported }
}

test('answers and faults come back as they were, with their outcome', async () => {
  const { calls, close, reported } = bench()
  assert.deepEqual(await Promise.all([calls.add(1, 2), calls.add(3, 4)]), [3, 7])
  await assert.rejects(calls.fail('not-done'), (error) => error instanceof Fault && error.outcome === 'not-done' && error.message === 'the disk is full')
  assert.deepEqual(reported, [])
  close()
})

test('what is no fault is reported where it happened, and says nothing to the other thread', async () => {
  const { calls, close, reported } = bench()
  await assert.rejects(calls.break(), (error) => error instanceof Fault && error.outcome === 'unknown' && !error.message.includes('secret'))
  assert.equal(reported.length, 1)
  close()
})

test('a thread that ends, or does not answer in time, fails its callers', async () => {
  const { calls, close } = bench(20)
  await assert.rejects(calls.never(), /does not answer/)
  const lost = bench()
  const pending = assert.rejects(lost.calls.never(), /ended/)
  lost.close()
  await pending
  await assert.rejects(lost.calls.add(1, 2), (error) => error instanceof Fault && error.outcome === 'not-done')
  close()
})
