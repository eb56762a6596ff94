import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, openWorld } from '../simulation/world.ts'

test('[S5] [S7] while the provider is slow, a handle without its key is refused at once, and gets nothing when the answer comes', async () => {
  const world = await openWorld()
  const [node, other] = [world.addNode(), world.addNode()]
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await world.scheduler.runNow()
  const before = JSON.stringify(world.database.dump())
  const thieves = [node, other].flatMap((at) => Array.from({ length: 20 }, (_, index) => world.refresh(at, world.thief(`thief ${index}`), world.start.handle)))
  await world.scheduler.runNow()
  assert.deepEqual(new Set((await Promise.all(thieves)).map(codeOf)), new Set(['session.invalid']), 'none of them waits')
  assert.equal(JSON.stringify(world.database.dump()), before)
  assert.equal(world.provider.requests.length, 1)

  world.provider.release()
  await world.scheduler.run()
  assert.equal(codeOf(await owner), 'granted')
  assert.equal(world.invariants.given.length, 1)
})
