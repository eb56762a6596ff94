/** A receiver that hangs must cost the gateway no memory and no call, and what it was sent in vain is not lost. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { cursorFile } from '../../packages/gateway/src/drivers/export/cursor-files.ts'
import { decisionOf, eventNumber, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { appendEvents, runExport, shortDeadlines, toReceiver } from '../fixtures/running-export.ts'
import { parseSyslog, startReceiver } from '../fixtures/syslog.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const indexOf = (frame: string): number => Number(parseSyslog(frame).data.get('event@32473')?.get('index'))

test('a receiver that reads nothing is given up, and no entry counts as arrived', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(
    folder,
    newSigner(),
    Array.from({ length: 2000 }, (_, number) => ({ ...decisionOf(`request-${number}`, number), resource: 'r'.repeat(6_000) })),
  )
  const receiver = await startReceiver(t, { isDeaf: true })
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver(receiver) }, shortDeadlines)
  await run.until(({ failures }) => failures > 0)
  assert.match(run.state().failure ?? '', /reads nothing/)
  assert.deepEqual([run.state().next, run.state().lagEntries], [0, 2000])
  assert.equal(await cursorFile(join(folder, 'exports'), 'siem').read(), undefined)
})

test('a receiver that takes a little and never answers has confirmed nothing', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), [eventNumber(0)])
  const receiver = await startReceiver(t, { isDeaf: true })
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver(receiver) }, shortDeadlines)
  await run.until(({ failures }) => failures > 0)
  assert.match(run.state().failure ?? '', /does not end the connection/)
  assert.equal(run.state().next, 0)
})

test('what a receiver had not read when the connection broke arrives over the next one', async (t) => {
  const folder = temporaryFolder(t)
  const size = 600
  await appendEvents(
    folder,
    newSigner(),
    Array.from({ length: size }, (_, number) => eventNumber(number)),
  )
  const receiver = await startReceiver(t)
  receiver.cutAfter = 300
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver(receiver) })
  await receiver.received(300)
  receiver.cutAfter = undefined
  await run.until(({ next }) => next === size)
  const indexes = receiver.frames.map(indexOf)
  assert.deepEqual(
    [...new Set(indexes)],
    Array.from({ length: size }, (_, index) => index),
  )
  assert.ok(indexes.length > size, 'what was sent over the broken connection is sent again')
})

test('calls are served while the receiver of an export hangs, and the gateway still stops in time', async (t) => {
  const receiver = await startReceiver(t, { isDeaf: true })
  await using whole = await wholeGateway()
  const rules = [{ id: 'all', match: { tenant: 'acme' }, then: 'permit' }]
  await whole.configure(rules, [], '127.0.0.1:0', {}, { exports: { siem: { format: 'syslog', to: `tls://127.0.0.1:${receiver.port}` } } })
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (let call = 0; call < 20; call += 1) assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  const before = performance.now()
  await whole.stop()
  assert.ok(performance.now() - before < 10_000)
})
