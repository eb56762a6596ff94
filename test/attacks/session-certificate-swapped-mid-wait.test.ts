import assert from 'node:assert/strict'
import test from 'node:test'
import { proofOf } from '../simulation/names.ts'
import { certificateRevoked, codeOf, openWorld } from '../simulation/world.ts'

for (const [what, proof, code] of [
  ['of another agent', proofOf('mallory', 'mallory-key'), 'session.invalid'],
  ['of the same agent from another enrolment', proofOf('bot', 'fresh-key'), 'session.invalid'],
  ['that is revoked meanwhile', certificateRevoked, 'identity.certificate-revoked'],
] as const) {
  test(`[S5] who began to wait with the right certificate gets nothing with one ${what}`, async () => {
    const world = await openWorld()
    world.issue('fresh-key', undefined)
    world.provider.holdsAnswers = true
    const caller = world.caller('owner')
    const waiting = world.refresh(world.addNode(), caller, world.start.handle)
    await world.scheduler.runNow()
    caller.proof = proof
    world.provider.release()
    await world.scheduler.run()
    assert.equal(codeOf(await waiting), code)
    assert.equal(world.invariants.given.length, 0)
    assert.ok(world.log.every(({ act }) => act !== 'refreshed'))

    // What landed is still there for whoever has the key.
    const owner = world.refresh(world.addNode(), world.caller('owner'), world.start.handle)
    await world.scheduler.run()
    assert.equal(codeOf(await owner), 'granted')
    assert.equal(world.provider.requests.length, 1)
  })
}
