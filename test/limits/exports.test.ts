import assert from 'node:assert/strict'
import test from 'node:test'
import { configuration, exportsMax } from '@sallyport/contract'
import { compileExport } from '../../packages/gateway/src/control/configuration/compile-exports.ts'
import { tlsReceiver } from '../../packages/gateway/src/drivers/export/tls-receiver.ts'
import { temporaryFolder, eventNumber, newSigner } from '../fixtures/log-folder.ts'
import { appendEvents, runExport, toReceiver } from '../fixtures/running-export.ts'
import { startReceiver } from '../fixtures/syslog.ts'

test('a configuration has exportsMax exports, and not one more', () => {
  const withExports = (count: number): unknown => ({
    version: 1,
    trustDomain: 'agents.example',
    exports: Object.fromEntries(Array.from({ length: count }, (_, number) => [`e${number}`, { format: 'jsonl', to: `f${number}` }])),
  })
  assert.equal(configuration.safeParse(withExports(exportsMax)).success, true)
  assert.equal(configuration.safeParse(withExports(exportsMax + 1)).success, false)
})

test('a receiver has a port from 1 to portMax', () => {
  const compiled = (port: number): object => compileExport('siem', { format: 'syslog', to: `tls://h:${port}` }, {}, '/')
  for (const port of [1, 65_535]) assert.ok(!('fault' in compiled(port)), String(port))
  for (const port of [0, 65_536]) assert.ok('fault' in compiled(port), String(port))
})

for (const [deadline, told] of [
  ['sendMs', /reads nothing/],
  ['confirmMs', /does not end the connection/],
] as const) {
  test(`what a receiver is waited for ends after ${deadline}`, async (t) => {
    const receiver = await startReceiver(t, { isDeaf: true })
    const destination = tlsReceiver(toReceiver(receiver), { connectMs: 10_000, sendMs: 10_000, confirmMs: 10_000, [deadline]: 150 })
    t.after(() => destination.close())
    const before = performance.now()
    const work = async (): Promise<void> => {
      // More than the sockets of both sides hold.
      if (deadline === 'sendMs') for (;;) await destination.send(['x'.repeat(4 * 1024 ** 2)])
      await destination.send(['x'])
      await destination.confirm()
    }
    await assert.rejects(work(), told)
    assert.ok(performance.now() - before >= 150)
  })
}

test('a receiver that takes its time, but less than the deadlines, gets everything', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), [eventNumber(0)])
  const receiver = await startReceiver(t)
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver(receiver) })
  await run.until(({ next }) => next === 1)
  assert.equal(run.state().failures, 0)
})
