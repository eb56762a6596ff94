import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import { verifierKeyText } from '@sallyport/contract/log'
import { verifierKeyOf } from '../../packages/gateway/src/audit/log-key.ts'
import { readLogKey } from '../../packages/gateway/src/control/data-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('the whole data folder is put back, log.head and all: nothing in it can tell, the witness does, and the gateway raises the alarm [L1] [L5]', async () => {
  await using whole = await wholeGateway()
  await using witness = await runningWitness([verifierKeyText(verifierKeyOf(await readLogKey(whole.data)))])
  const { vkey, url } = witness
  await whole.configure([{ id: 'get', match: { upstream: 'api' }, then: 'permit' }], [], undefined, {}, { log: { witnesses: [{ vkey, url }] } })
  const cosignedTo = async (size: number): Promise<void> => {
    for (const end = Date.now() + 10_000; witnessIn(await whole.admin('status', {})).size < size; await wait(50)) assert.ok(Date.now() < end)
  }
  await whole.start()
  await whole.enrolAgent()
  await cosignedTo(3)
  await whole.stop()
  const older = join(whole.folder, 'older')
  await cp(whole.data, older, { recursive: true })

  await whole.start()
  const agent = await whole.agent()
  for (let id = 0; id < 10; id += 1) await agent.callHttp('api', { method: 'GET', path: `/things/${id}` })
  await cosignedTo((await whole.events()).length)
  await whole.stop()
  await rm(whole.data, { recursive: true })
  await cp(older, whole.data, { recursive: true })
  const { logKey } = await whole.start() // it is sound in itself
  await whole.assertLogVerifies(logKey)

  for (const end = Date.now() + 10_000; !whole.faults.some((fault) => fault.startsWith('log.conflict')); await wait(50)) assert.ok(Date.now() < end)
  assert.match(whole.faults.join('\n'), /ALARM: the witness witness\.example\/w1 has seen another log under our key: .* the log was rolled back/)
  assert.equal(witnessIn(await whole.admin('status', {})).state, 'conflict')
  for (const end = Date.now() + 5_000; ; await wait(50)) {
    if ((await whole.events()).some((event) => event.type === 'admin' && event.act === 'log.conflict')) break
    assert.ok(Date.now() < end, 'the alarm is not in the log')
  }
  const shown = await operator(whole, ['status'])
  assert.match(shown.stdout, /witness\.example\/w1 +CONFLICT/)
  const doctor = await operator(whole, ['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /FAIL witnesses: witness\.example\/w1: it has cosigned \d+ entries of this log, which has \d+: the log was rolled back/)

  // Growing past the size that the witness knows does not heal it: the entries are others.
  const again = await whole.agent()
  for (let id = 0; id < 30; id += 1) await again.callHttp('api', { method: 'GET', path: `/things/${id}` })
  for (const end = Date.now() + 15_000; ; await wait(100)) {
    const { state, problem } = witnessIn(await whole.admin('status', {}))
    assert.equal(state, 'conflict')
    if (/does not continue the \d+ entries that it has cosigned/.test(problem)) break
    assert.ok(Date.now() < end, problem)
  }
})

function witnessIn(status: unknown): { readonly state: string; readonly size: number; readonly problem: string } {
  const { log } = status as { readonly log: { readonly witnesses: readonly { readonly state: string; readonly size: number; readonly problem?: string }[] } }
  const [one] = log.witnesses
  return { state: one?.state ?? '', size: one?.size ?? 0, problem: one?.problem ?? '' }
}
