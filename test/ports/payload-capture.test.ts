import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Capture, payloadKeptMsMax, type Captured } from '../../packages/gateway/src/audit/capture.ts'
import { PayloadSeal, type Payloads } from '../../packages/gateway/src/audit/payload.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { compilePolicy, type PolicySnapshot } from '../../packages/gateway/src/policy/snapshot.ts'
import { callBy, principalOf } from '../fixtures/access-request.ts'

const request = callBy(await principalOf('acme', 'bot'), { args: { amount: 1 } })
const seal = new PayloadSeal({
  keys: recordSeal(randomBytes(32), randomBytes),
  under: (key) => recordSeal(key, randomBytes),
  digestKey: createSecretKey(randomBytes(32)),
  random: randomBytes,
})

function policyOf(mode: 'off' | 'digest' | 'sealed'): PolicySnapshot {
  const compiled = compilePolicy([], [], { upstreams: [] }, [], { default: mode })
  assert.ok(compiled.kind === 'compiled')
  return compiled.snapshot
}

/** A disk that answers when it is told to, and what it was asked to destroy. */
function disk() {
  const kept = Promise.withResolvers<'kept'>()
  const asked = Promise.withResolvers<undefined>()
  const dropped = Promise.withResolvers<string>()
  const payloads: Payloads = {
    keep: () => {
      asked.resolve(undefined)
      return kept.promise
    },
    drop: async (digest) => dropped.resolve(digest),
  }
  const capture = new Capture({ seal, payloads, now: Date.now, report: (event, fault) => assert.fail(`${event}: ${String(fault)}`) })
  return { capture, answer: () => kept.resolve('kept'), asked: asked.promise, dropped: dropped.promise }
}

async function captured(capture: Capture, mode: 'off' | 'digest' | 'sealed'): Promise<Captured> {
  const kept = await capture.keep(policyOf(mode), request)
  return kept.kind === 'captured' ? kept : assert.fail(kept.reason)
}

test('[L4] a disk that does not take the arguments in time is a refusal, and what it takes too late is destroyed', async (t) => {
  const { capture, answer, asked, dropped } = disk()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const keeping = capture.keep(policyOf('sealed'), request)
  await asked
  t.mock.timers.tick(payloadKeptMsMax)
  const refusal = await keeping
  assert.ok(refusal.kind === 'refused')
  assert.equal(refusal.problem.code, 'audit.payload-unavailable')
  answer()
  assert.match(await dropped, /^[A-Za-z0-9_-]{43}$/)
})

test('what no entry cites is destroyed when the call is over, and what one cites is not', async () => {
  const cited = disk()
  cited.answer()
  {
    await using kept = await captured(cited.capture, 'sealed')
    kept.isCited = true
  }
  const uncited = disk()
  uncited.answer()
  let digest: string | undefined
  {
    await using kept = await captured(uncited.capture, 'sealed')
    digest = kept.cited?.digest
  }
  assert.equal(await uncited.dropped, digest)
  assert.equal(await Promise.race([cited.dropped, Promise.resolve('nothing')]), 'nothing')
})

test('the disk is asked for nothing where nothing is sealed', async () => {
  for (const mode of ['off', 'digest'] as const) {
    const { capture, asked, dropped } = disk()
    {
      await using kept = await captured(capture, mode)
      assert.equal(kept.cited?.capture, mode === 'off' ? undefined : mode)
    }
    assert.equal(await Promise.race([asked, dropped, Promise.resolve('nothing')]), 'nothing')
  }
})
