import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore } from './explore.ts'
import { Scheduler, nothingOdd, type Choose, type Touch } from './scheduler.ts'

/** Two actors with two calls each; every run is the order of the four. */
async function ordersOf(touches: Touch): Promise<Set<string>> {
  const orders = new Set<string>()
  const run = async (choose: Choose): Promise<void> => {
    const scheduler = new Scheduler(choose, nothingOdd)
    const order: string[] = []
    for (const actor of ['a', 'b']) {
      void (async () => {
        for (const step of [1, 2]) await scheduler.call(`${actor}${step}`, undefined, () => order.push(`${actor}${step}`), { touches })
      })()
    }
    await scheduler.run()
    orders.add(order.join(' '))
  }
  await explore(run)
  return orders
}

test('calls that disturb each other are taken in every order', async () => {
  assert.deepEqual(await ordersOf('store, changing it'), new Set(['a1 a2 b1 b2', 'a1 b1 a2 b2', 'a1 b1 b2 a2', 'b1 a1 a2 b2', 'b1 a1 b2 a2', 'b1 b2 a1 a2']))
})

test('of orders that show nothing new, one is taken', async () => {
  assert.equal((await ordersOf('store')).size, 1)
})
