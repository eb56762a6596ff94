import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { initialise } from '@sallyport/gateway'
import { PayloadSeal, type Payloads } from '../../packages/gateway/src/audit/payload.ts'
import { readForward } from '../../packages/gateway/src/audit/reader.ts'
import { CapturingLedger, payloadKeptMsMax } from '../../packages/gateway/src/capturing-ledger.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { compilePolicy } from '../../packages/gateway/src/policy/snapshot.ts'
import { openLedger } from '../../packages/gateway/src/threads/open-ledger.ts'
import { callBy, principalOf } from '../fixtures/access-request.ts'

test('[L4] a disk that does not take the arguments in time is a refusal, nothing is decided, and what it takes too late is destroyed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-capturing-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  await initialise(folder, 'agents.example')
  const compiled = compilePolicy([{ id: 'all', match: {}, then: 'permit' }], [], { upstreams: [] }, [], { default: 'sealed' })
  assert.ok(compiled.kind === 'compiled')
  const policy = { revision: 'r', policy: compiled.snapshot }
  const opened = await openLedger({ dataFolder: folder, policy, report: (event, error) => assert.fail(`${event}: ${String(error)}`) })
  try {
    const kept = Promise.withResolvers<'kept'>()
    const asked = Promise.withResolvers<undefined>()
    const dropped = Promise.withResolvers<string>()
    const hanging: Payloads = {
      keep: () => {
        asked.resolve(undefined)
        return kept.promise
      },
      drop: async (digest) => dropped.resolve(digest),
    }
    const seal = new PayloadSeal({
      keys: recordSeal(randomBytes(32), randomBytes),
      under: (key) => recordSeal(key, randomBytes),
      digestKey: createSecretKey(randomBytes(32)),
      random: randomBytes,
    })
    const ledger = new CapturingLedger(opened.ledger, { seal, payloads: hanging, now: Date.now, report: () => undefined })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const deciding = ledger.decide(policy, callBy(await principalOf('acme', 'bot'), { args: { amount: 1 } }))
    await asked.promise
    t.mock.timers.tick(payloadKeptMsMax)
    const verdict = await deciding
    t.mock.timers.reset()
    assert.ok(verdict.kind === 'deny')
    assert.equal(verdict.problem.code, 'audit.payload-unavailable')
    kept.resolve('kept')
    assert.match(await dropped.promise, /^[A-Za-z0-9_-]{43}$/)
  } finally {
    await opened.finish()
    await opened.close()
  }
  const types: string[] = []
  for await (const { event } of readForward(viewLogFolder(join(folder, 'log')))) types.push(event.type)
  assert.deepEqual(types, ['refusal'])
})
