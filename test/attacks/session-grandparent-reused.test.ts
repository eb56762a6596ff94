import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, openWorld } from '../simulation/world.ts'

test('[S5] a handle that was replaced twice, shown with the key itself, ends the session, a flight under way included', async () => {
  const world = await openWorld()
  const node = world.addNode()
  world.provider.holdsAnswers = true
  const owner = world.refresh(node, world.caller('owner'), world.start.handle)
  await world.scheduler.runNow()
  const stolen = world.refresh(world.addNode(), world.caller('owner’s host, taken over'), world.start.grandparent)
  await world.scheduler.runNow()
  assert.equal(codeOf(await stolen), 'session.invalid')
  assert.equal(world.row()['state'], 'revoked')

  world.provider.release()
  await world.scheduler.run()
  assert.equal(codeOf(await owner), 'session.invalid', 'what its flight brings lands nowhere')
  assert.equal(world.invariants.given.length, 0)
  assert.equal(world.provider.revoked.length, 2, 'and is given back, like the token that it was asked with')
  assert.ok([...world.provider.tokens.keys()].every((token) => !world.provider.isLive(token)))
  assert.ok(world.ended.has(world.start.session), 'live tickets are not believed any more')
  assert.equal(world.log.filter(({ act }) => act === 'reused').length, 1)
})
