import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf, openWorld } from '../simulation/world.ts'

test('[S5] in the window, a handle that was just replaced gets its successor only with the key, and only until that is used', async () => {
  const world = await openWorld()
  const node = world.addNode()
  const ask = async (caller = world.caller('owner'), handle = world.start.handle) => {
    const answer = world.refresh(node, caller, handle)
    await world.scheduler.run()
    return answer
  }
  const first = await ask()
  assert.ok(!('kind' in first))
  const before = JSON.stringify(world.database.dump())
  assert.equal(codeOf(await ask(world.thief())), 'session.invalid')
  const again = await ask()
  assert.ok(!('kind' in again) && again.handle === first.handle, 'the same one, for who may have lost it')
  assert.equal(JSON.stringify(world.database.dump()), before, 'neither has changed anything')

  assert.equal(codeOf(await ask(world.caller('owner'), first.handle)), 'granted')
  assert.equal(world.provider.requests.length, 2)
  assert.equal(codeOf(await ask(world.thief())), 'session.invalid', 'who has no key does not even learn that it is old')
  assert.equal(codeOf(await ask(world.thief(), first.handle)), 'session.invalid')
  assert.equal(world.row()['state'], 'active')
})
