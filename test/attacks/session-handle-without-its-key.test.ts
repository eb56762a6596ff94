import assert from 'node:assert/strict'
import test from 'node:test'
import { proofOf } from '../simulation/names.ts'
import { codeOf, openWorld } from '../simulation/world.ts'

test('[S5] a leaked handle without its key rotates nothing, asks nobody, ends nothing', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.issue('fresh-key', undefined)
  const before = JSON.stringify(world.database.dump())
  const strangers = [proofOf('mallory', 'mallory-key'), proofOf('bot', 'fresh-key')]
  for (const handle of [world.start.handle, world.start.previous, world.start.grandparent]) {
    for (const proof of strangers) {
      const caller = world.caller('thief', proof, true)
      const [refreshed, ended, claimed] = [world.refresh(node, caller, handle), world.end(node, caller, handle), world.claim(node, caller)]
      await world.scheduler.run()
      assert.equal(codeOf(await refreshed), 'session.invalid')
      const end = await ended
      assert.equal(end !== 'ended' && end.problem.code, 'session.invalid')
      assert.equal(codeOf(await claimed), 'session.none')
    }
  }
  assert.equal(world.provider.requests.length, 0)
  assert.equal(JSON.stringify(world.database.dump()), before)
  assert.ok(world.log.every(({ act }) => act === 'ownership-failed') && world.log.length > 0)

  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await world.scheduler.run()
  assert.equal(codeOf(await owner), 'granted', 'its owner is unharmed')
})
