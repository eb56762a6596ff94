/** SIGKILL, as a machine that runs out of memory sends it: what was not confirmed is sent again, and no entry is passed over. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { exportBatchEntries } from '../../packages/gateway/src/export/run-export.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'

test('an export that is killed while it sends, before and after its cursor moves, leaves no entry out and repeats only what was not confirmed', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const size = 2 * exportBatchEntries + 5
  await writeLog(join(folder, 'log'), signer, 0, size)
  const sent = (): readonly number[] =>
    readFileSync(join(folder, 'out.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).index)
  const runUntil = (step: string, number: number, to: number): NodeJS.Signals | null =>
    spawnSync(process.execPath, ['test/fixtures/export-child.ts', folder, step, String(number), String(to)], { timeout: 20_000 }).signal

  const expected: number[] = []
  for (const [step, number, reach] of [
    ['send', 2, 2 * exportBatchEntries],
    ['confirm', 1, size],
    ['keep', 1, size],
  ] as const) {
    assert.equal(runUntil(step, number, size), 'SIGKILL')
    expected.push(...Array.from({ length: reach }, (_, index) => index))
    assert.deepEqual(sent(), expected, step)
  }
  await writeLog(join(folder, 'log'), signer, size, size + 2)
  assert.equal(runUntil('never', 0, size + 2), null)
  assert.deepEqual(sent(), [...expected, size, size + 1], 'what the cursor had passed is not sent again')
})
