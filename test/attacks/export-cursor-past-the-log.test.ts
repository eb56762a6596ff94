/** Who can put the log or the cursor back must not win that entries are passed over: rather everything is sent twice. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cursorFile } from '../../packages/gateway/src/drivers/export/cursor-files.ts'
import type { Cursor } from '../../packages/gateway/src/export/destination.ts'
import { eventNumber, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { appendEvents, runExport, type ExportRun } from '../fixtures/running-export.ts'

async function exportFrom(t: TestContext, folder: string): Promise<{ run: ExportRun; indexes: () => number[] }> {
  const path = join(folder, 'out.jsonl')
  const run = runExport(t, folder, { name: 'siem', format: 'jsonl', to: { kind: 'file', path, rotateBytes: 1e9, keep: 1 } })
  const indexes = (): number[] =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).index)
  return { run, indexes }
}

async function logAndCursor(t: TestContext, cursor: (own: Cursor) => Cursor): Promise<string> {
  const folder = temporaryFolder(t)
  await appendEvents(
    folder,
    newSigner(),
    Array.from({ length: 10 }, (_, number) => eventNumber(number)),
  )
  const { run } = await exportFrom(t, folder)
  await run.until(({ next }) => next === 10)
  await run.stop()
  const cursors = cursorFile(join(folder, 'exports'), 'siem')
  const own = await cursors.read()
  assert.ok(own)
  await cursors.keep(cursor(own))
  writeFileSync(join(folder, 'out.jsonl'), '')
  return folder
}

const all = Array.from({ length: 10 }, (_, index) => index)

for (const [what, cursor] of [
  ['past the end of a log that was rolled back', ({ leaf }: Cursor) => ({ next: 1000, leaf })],
  ['of a log that was replaced by another as long', ({ next }: Cursor) => ({ next, leaf: 'A'.repeat(43) })],
  ['put forward by hand', ({ leaf }: Cursor) => ({ next: 9, leaf })],
] as const) {
  test(`a cursor ${what} is not taken up: every entry is sent, and the operator is told`, async (t) => {
    const folder = await logAndCursor(t, cursor)
    const { run, indexes } = await exportFrom(t, folder)
    await run.until(({ next }) => next === 10)
    assert.deepEqual(indexes(), all)
    assert.match(run.reported.join(), /another log/)
  })
}

test('a cursor that cannot be read is as none: every entry is sent', async (t) => {
  const folder = await logAndCursor(t, (own) => own)
  writeFileSync(join(folder, 'exports', 'siem.json'), '{"v":1,"next":-1,"leaf":"x"}', { mode: 0o600 })
  const { run, indexes } = await exportFrom(t, folder)
  await run.until(({ next }) => next === 10)
  assert.deepEqual(indexes(), all)
})

test('a log that becomes shorter under a running export is not passed over either', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), all.map(eventNumber))
  const { run, indexes } = await exportFrom(t, folder)
  await run.until(({ next }) => next === 10)
  mkdirSync(join(folder, 'other'))
  await appendEvents(
    join(folder, 'other'),
    newSigner(),
    all.slice(0, 3).map((number) => eventNumber(number + 100)),
  )
  renameSync(join(folder, 'log'), join(folder, 'log.before'))
  renameSync(join(folder, 'other', 'log'), join(folder, 'log'))
  await run.until(({ next, failure }) => next === 3 && failure === undefined)
  assert.deepEqual(indexes(), [...all, 0, 1, 2])
})
