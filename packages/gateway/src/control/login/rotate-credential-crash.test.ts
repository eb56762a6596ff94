import assert from 'node:assert/strict'
import test from 'node:test'
import { rotationBench, type RotationBench, type Writes } from '../../../../../test/fixtures/credential-rotation.ts'

/** Everything that a whole run writes, in its order. */
const writesOfARun = [
  'note provider-credential.prepared',
  'keep',
  'note provider-credential.registering',
  'rotateSecret',
  'note secret.rotated',
  'note provider-credential.switched',
  'keep',
  'note provider-credential.withdrawing',
  'rotateSecret',
  'note secret.rotated',
  'note provider-credential.rotated',
  'keep',
]

/** A life that ends at its write number `at`, before it is done or right after. What it would do next never happens. */
async function liveUntil(bench: RotationBench, at: number, moment: 'before' | 'after'): Promise<readonly string[]> {
  const died = Promise.withResolvers<void>()
  const seen: string[] = []
  const dying =
    <Args extends unknown[], Result>(name: string, work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      seen.push(name)
      const isEnd = seen.length === at + 1
      if (isEnd && moment === 'after') await work(...args)
      if (!isEnd) return work(...args)
      died.resolve()
      return new Promise<never>(() => undefined)
    }
  const between = (writes: Writes): Writes => ({
    keep: dying('keep', writes.keep),
    rotateSecret: dying('rotateSecret', writes.rotateSecret),
    note: (act) => dying(`note ${act.act}`, writes.note)(act),
  })
  await Promise.race([bench.live(between).rotate(), died.promise])
  return seen
}

for (const moment of ['before', 'after'] as const) {
  test(`[R2] a rotation that dies at any of its writes, ${moment} it is done, never locks the gateway out, and the next run ends it`, async () => {
    await using bench = await rotationBench({ registers: true })
    for (const at of writesOfARun.keys()) {
      const seen = await liveUntil(bench, at, moment)
      assert.deepEqual(seen, writesOfARun.slice(0, at + 1))
      const where = `${moment} ${seen.at(-1)}, number ${at}`
      const next = bench.live()
      const counted = await next.current()
      assert.equal(await next.attempt(counted), 'accepted', `locked out ${where}`)

      let rotation = await next.rotate()
      // Only the token for the registration can be lost, when the provider has replaced it and the answer was not kept.
      assert.equal(rotation.kind === 'waiting', moment === 'before' && seen.at(-1) === 'rotateSecret' && at < 8, where)
      if (rotation.kind === 'waiting') {
        assert.equal(rotation.at, 'withdraw')
        assert.match(rotation.reason, /registration access token is not accepted/)
        assert.equal(await next.attempt(await next.current()), 'accepted', where)
        await bench.secrets.rotate({ kind: 'shared' }, 'work-registration', await bench.idp.registrationToken(), 1)
        rotation = await next.rotate()
      }
      assert.equal(rotation.kind, 'rotated', `${where}: ${JSON.stringify(rotation)}`)
      assert.equal((await bench.keysAtProvider()).length, 1, where)
      assert.equal(await next.attempt(await next.current()), 'accepted', where)
      // The loop begins each time with a token that counts: the provider gave one with its last change, unless that was the one that was lost.
      await bench.secrets.rotate({ kind: 'shared' }, 'work-registration', await bench.idp.registrationToken(), 1)
    }
  })
}
