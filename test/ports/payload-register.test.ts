import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { readdir, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { PayloadSeal } from '../../packages/gateway/src/audit/payload.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { payloadFileName } from '../../packages/gateway/src/control/payloads/payload-files.ts'
import { PayloadRegister, retentionEveryMs, type PayloadRegisterPorts } from '../../packages/gateway/src/control/payloads/payload-register.ts'
import { PayloadStore } from '../../packages/gateway/src/control/payloads/payload-store.ts'
import { payloadFilesIn } from '../../packages/gateway/src/drivers/payload-files/payload-files.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { principalOf } from '../fixtures/access-request.ts'
import { decisionOf, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'

const principal = await principalOf('acme', 'bot')
const seal = new PayloadSeal({
  keys: recordSeal(randomBytes(32), randomBytes),
  under: (key) => recordSeal(key, randomBytes),
  digestKey: createSecretKey(randomBytes(32)),
  random: randomBytes,
})

/** A register over real files and a real log, whose hours pass when they are told to. The calls are held, and their entries the first of the log. */
async function opened(t: TestContext, given: Partial<PayloadRegisterPorts>, calls: number) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const folder = temporaryFolder(t)
  const payloads = join(folder, 'payloads')
  const { log } = await openLog(await openLogFolder(join(folder, 'log')), newSigner())
  const store = await PayloadStore.open(payloadFilesIn(payloads), () => ({ bytes: 1_000_000, agentBytes: 1_000_000 }))
  const now = Date.now()
  const time = new Date(now).toISOString()
  for (let call = 0; call < calls; call += 1) {
    const { cited, ...sealed } = seal.seal({ id: 'r1', principal }, { call }, now)
    await store.keep({ ...sealed, cited })
    const decision = decisionOf('r1', call)
    assert.ok(decision.type === 'decision')
    await log.append({ ...decision, time, decision: 'hold', approval: 'a1', payload: cited })
  }
  const reported: string[] = []
  const register = new PayloadRegister({
    store,
    seal,
    view: viewLogFolder(join(folder, 'log')),
    note: (act) => log.append({ ...act, v: 1, time }),
    forgetHeld: async () => undefined,
    keepMs: () => undefined,
    now: () => now + 10,
    report: (event) => void reported.push(event),
    ...given,
  })
  t.after(async () => {
    await register.close()
    await log.close()
  })
  const [first] = store.all()
  assert.ok(first)
  const file = join(payloads, payloadFileName(first))
  return { folder, payloads, store, register, reported, first, file, passHour: () => t.mock.timers.tick(retentionEveryMs) }
}

/** A link is never opened for writing: what it leads to can be read, and is not destroyed until it is back. */
async function putLink(file: string, aside: string): Promise<() => Promise<void>> {
  await rename(file, aside)
  await symlink(aside, file)
  return () => rename(aside, file)
}

async function untilEmpty(folder: string): Promise<void> {
  while ((await readdir(folder)).length > 0) await new Promise((resolve) => setImmediate(resolve))
}

test('a comparison with the log that fails is made again within the hour, and nothing is shown before', async (t) => {
  let isDue = true
  const view = viewLogFolder(join(temporaryFolder(t), 'log'))
  const failingOnce = {
    ...view,
    segments: async () => {
      if (!isDue) return view.segments()
      isDue = false
      throw new Fault('the disk failed', 'not-done')
    },
  }
  const { register, reported, payloads, passHour } = await opened(t, { view: failingOnce }, 1)
  const early = await register.read(0, 'alice')
  assert.equal(early.kind === 'refused' && early.problem.code, 'control.conflict')
  assert.deepEqual([reported, (await readdir(payloads)).length], [['payloads.not-compared'], 1])
  passHour()
  await untilEmpty(payloads) // this view has no entry that cites it
  const late = await register.read(0, 'alice')
  assert.equal(late.kind === 'refused' && late.problem.code, 'control.not-found')
})

test('what an erasure could not destroy, file or held call, is tried again within the hour', async (t) => {
  const forgotten: (readonly string[])[] = []
  const begun = Promise.withResolvers<void>()
  let isBusy = false
  const forgetHeld = async (approvals: readonly string[]): Promise<void> => {
    forgotten.push(approvals)
    begun.resolve()
    if (isBusy) throw new Fault('the database is in use', 'unknown')
  }
  const { folder, register, file, payloads, passHour, reported } = await opened(t, { forgetHeld }, 1)
  const putBack = await putLink(file, join(folder, 'aside'))
  const erase = () => register.erase(0, 'alice', { isTrial: false })
  await begun.promise
  isBusy = true
  await assert.rejects(erase(), (fault) => fault instanceof Fault && fault.outcome === 'unknown')
  for (const answer of [await register.read(0, 'alice'), await erase()]) assert.equal(answer.kind === 'refused' && answer.problem.code, 'control.conflict')
  isBusy = false
  await putBack()
  passHour()
  await untilEmpty(payloads)
  while (forgotten.length < 3) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([forgotten, reported], [[[], ['a1'], ['a1']], []])
})

test('one file that cannot be destroyed keeps time from none of the others', async (t) => {
  let keptMs: number | undefined
  const { folder, store, first, file, reported, passHour } = await opened(t, { keepMs: () => keptMs }, 3)
  await putLink(file, join(folder, 'aside'))
  keptMs = 1
  passHour()
  while (reported.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([store.withdrawn(), store.all(), reported], [[first], [], ['payloads.not-erased']])
})
