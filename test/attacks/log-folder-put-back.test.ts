// The whole log folder is put back to an older, genuine state: refusals, revocations of approvals and used quotas would be forgotten.
import assert from 'node:assert/strict'
import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('the gateway remembers what it signed, and does not start on less or on something else [L1] [T6]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }], [{ id: 'once', per: ['agent'], requests: 1, window: '1h' }])
  await whole.start()
  await whole.enrolAgent()
  await whole.stop()
  const log = join(whole.data, 'log')
  const older = join(whole.folder, 'older')
  cpSync(log, older, { recursive: true })
  await whole.start()
  assert.equal((await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  const { logKey } = whole.running
  await whole.stop()
  await whole.assertLogVerifies(logKey)

  rmSync(log, { recursive: true })
  cpSync(older, log, { recursive: true })
  await whole.assertLogVerifies(logKey) // it is genuine, only old
  await assert.rejects(whole.start(), /rolled back: it has \d+ entries, but this gateway signed \d+; entries from \d+ on are gone/)
  assert.equal(whole.seen.length, 1)

  // A memory that cannot be read is no lack of one.
  const head = join(whole.data, 'log.head')
  for (const target of [join(whole.folder, 'nowhere'), head]) {
    rmSync(head, { force: true })
    symlinkSync(target, head)
    await assert.rejects(whole.start(), /log\.head cannot be read/)
  }
})
