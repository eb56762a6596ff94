import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { lockLimits, underLock } from './folder-lock.ts'

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-lock-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

const foreign = (untilMs: number): string => `.renewal.${untilMs}.4711.f81d4fae-7dec-11d0-a765-00a0c91e6bf6.lock`

test('one at a time, each in the end, and nothing is left behind', async (t) => {
  const directory = await folder(t)
  let inside = 0
  const done: number[] = []
  const act = (turn: number) => async (): Promise<void> => {
    inside += 1
    assert.equal(inside, 1)
    await new Promise(setImmediate)
    await readdir(directory)
    done.push(turn)
    inside -= 1
  }
  await Promise.all([1, 2, 3, 4].map((turn) => underLock(directory, 'renewal', act(turn))))
  assert.deepEqual(new Set(done), new Set([1, 2, 3, 4]))
  assert.deepEqual(await readdir(directory), [])
})

test('a holder that died is forgotten at its deadline and not a moment earlier', async (t) => {
  const directory = await folder(t)
  await writeFile(join(directory, foreign(1_000)), '')
  await assert.rejects(
    underLock(directory, 'renewal', () => assert.fail('taken from a living holder'), { now: () => 999, waitMsMax: 0 }),
    (error) => error instanceof Fault && error.outcome === 'not-done' && /process 4711 .* after 1970-01-01T00:00:01\.000Z/.test(error.message),
  )
  assert.equal(await underLock(directory, 'renewal', async () => 'mine', { now: () => 1_000, waitMsMax: 0 }), 'mine')
  assert.deepEqual(await readdir(directory), [])
})

test('another lock of the same folder is another lock, and a failure inside frees it', async (t) => {
  const directory = await folder(t)
  await writeFile(join(directory, foreign(Date.now() + 60_000)), '')
  await assert.rejects(
    underLock(directory, 'clients', () => Promise.reject(new Error('inside'))),
    /inside/,
  )
  assert.equal(await underLock(directory, 'clients', async () => 1), 1)
})

test('who took too long learns it before they act', async (t) => {
  const directory = await folder(t)
  let nowMs = 0
  const acting = underLock(
    directory,
    'renewal',
    async (assertHeld) => {
      assertHeld()
      nowMs = lockLimits.holdMsMax
      assertHeld()
    },
    { now: () => nowMs, waitMsMax: 0 },
  )
  await assert.rejects(acting, (error) => error instanceof Fault && error.outcome === 'unknown')
})
