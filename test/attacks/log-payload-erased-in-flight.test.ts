// Arguments are erased while the disk still takes them: a file that nobody counts comes to be, or an entry that cites nothing.
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Capture } from '../../packages/gateway/src/audit/capture.ts'
import { PayloadSeal } from '../../packages/gateway/src/audit/payload.ts'
import { PayloadStore } from '../../packages/gateway/src/control/payloads/payload-store.ts'
import { payloadFilesIn } from '../../packages/gateway/src/drivers/payload-files/payload-files.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { compilePolicy } from '../../packages/gateway/src/policy/snapshot.ts'
import { callBy, principalOf } from '../fixtures/access-request.ts'

const seal = new PayloadSeal({
  keys: recordSeal(randomBytes(32), randomBytes),
  under: (key) => recordSeal(key, randomBytes),
  digestKey: createSecretKey(randomBytes(32)),
  random: randomBytes,
})
const compiled = compilePolicy([], [], { upstreams: [] }, [], { default: 'sealed' })
assert.ok(compiled.kind === 'compiled')
const { snapshot } = compiled
const request = callBy(await principalOf('acme', 'bot'), { args: { amount: 1 } })

for (const when of ['before', 'after'] as const) {
  test(`the call is refused and nothing of it is left, if they are erased just ${when} they are on the disk`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-in-flight-'))
    t.after(() => rm(folder, { recursive: true }))
    const files = payloadFilesIn(join(folder, 'payloads'))
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow: typeof files = {
      ...files,
      write: async (payload, bytes) => {
        if (when === 'after') await files.write(payload, bytes)
        begun.resolve()
        await gate.promise
        if (when === 'before') await files.write(payload, bytes)
      },
    }
    const store = await PayloadStore.open(slow, () => ({ bytes: 1_000_000, agentBytes: 1_000_000 }))
    const reported: string[] = []
    const capture = new Capture({ seal, payloads: store, now: Date.now, report: (event) => void reported.push(event) })
    const calling = capture.keep(snapshot, request)
    await begun.promise
    const erasing = store.destroy(store.all())
    gate.resolve()
    const answer = await calling
    await erasing
    assert.equal(answer.kind === 'refused' ? answer.problem.code : answer.kind, 'audit.payload-unavailable')
    assert.deepEqual([await readdir(join(folder, 'payloads')), store.status, reported], [[], { kept: 0, bytes: 0 }, ['payload.not-kept']])
  })
}
