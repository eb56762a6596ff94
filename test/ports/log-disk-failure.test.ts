import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Fault } from '@sallyport/contract'
import type { LogFiles } from '../../packages/gateway/src/audit/log-files.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { eventNumber, newLogKeyPem, newSigner, numbersOf, readAll, signerOf, temporaryFolder, verifyAsOutsider } from '../fixtures/log-folder.ts'

type Failure = 'not done' | 'done' | 'half done'

/** The real files, whose `failAt`-th writing call fails: before it did anything, after it did everything, or (an append) in the middle. */
function failingFiles(files: LogFiles, failAt: number, failure: Failure): { files: LogFiles; calls: () => number } {
  let calls = 0
  const fail =
    <Args extends unknown[]>(act: (...args: Args) => Promise<void>, actHalf: (...args: Args) => Promise<void>) =>
    async (...args: Args): Promise<void> => {
      calls += 1
      if (calls !== failAt) return act(...args)
      if (failure === 'done') await act(...args)
      if (failure === 'half done') await actHalf(...args)
      throw new Fault('the disk failed', 'unknown')
    }
  const nothing = (): Promise<void> => Promise.resolve()
  const failing: LogFiles = {
    ...files,
    startSegment: fail(files.startSegment, nothing),
    append: fail(files.append, (bytes) => files.append(bytes.subarray(0, bytes.length / 2))),
    cutSegment: fail(files.cutSegment, nothing),
    removeSegment: fail(files.removeSegment, nothing),
    publish: fail(files.publish, nothing),
    removePartials: fail(files.removePartials, nothing),
  }
  return { files: failing, calls: () => calls }
}

interface Trial {
  readonly acknowledged: readonly number[]
  readonly calls: number
}

/** Writes 600 entries in waves over files that fail once, and looks at what the callers were told. */
async function writeUntilFailure(folder: string, pem: string, failAt: number, failure: Failure): Promise<Trial> {
  const { files, calls } = failingFiles(await openLogFolder(folder), failAt, failure)
  const acknowledged: number[] = []
  let lost: unknown
  try {
    const { log } = await openLog(files, signerOf(pem), { checkpointIntervalMs: 1, segmentBytesMax: 20_000, onUnavailable: (fault) => (lost = fault) })
    for (let number = 0; number < 600; number += 50) {
      const wave = await Promise.allSettled(Array.from({ length: 50 }, (_, at) => log.append(eventNumber(number + at))))
      for (const result of wave) {
        if (result.status === 'fulfilled') {
          assert.equal(lost, undefined, 'an entry was acknowledged after the disk had failed')
          acknowledged.push(result.value)
        } else assert.ok(result.reason instanceof Fault)
      }
      if (log.isAvailable) continue
      await assert.rejects(log.append(eventNumber(number)), (error) => error instanceof Fault && error.outcome === 'not-done')
      break
    }
    assert.equal(log.isAvailable, lost === undefined)
    await log.close().catch((error: unknown) => assert.ok(error instanceof Fault))
  } catch (error) {
    if (!(error instanceof Fault)) throw error // the failure came while the log was opened
  }
  return { acknowledged, calls: calls() }
}

for (const failure of ['not done', 'done', 'half done'] as const) {
  test(`whichever call of the disk fails (${failure}), nothing acknowledged is lost and the log opens and verifies again [L1] [L4]`, async (t) => {
    const folder = temporaryFolder(t)
    const pem = newLogKeyPem()
    let trials = 0
    for (let failAt = 1; ; failAt += failAt < 30 ? 1 : 7) {
      const log = join(folder, String(failAt))
      const { acknowledged, calls } = await writeUntilFailure(log, pem, failAt, failure)
      if (calls < failAt) break
      trials += 1
      const { log: reopened, recovered } = await openLog(await openLogFolder(log), signerOf(pem))
      assert.ok(
        acknowledged.every((index) => index < recovered.size),
        `call ${failAt}`,
      )
      await reopened.append({ ...eventNumber(10_000) })
      await reopened.close()
      const verdict = await verifyAsOutsider(log, signerOf(pem))
      assert.equal(verdict.kind, 'verified', `call ${failAt}: ${verdict.kind === 'fault' ? verdict.text : ''}`)
      const numbers = numbersOf(await readAll(log)).slice(0, -1)
      assert.deepEqual(numbers, [...numbers.keys()])
    }
    assert.ok(trials > 20, `${trials} trials`)
  })
}

test('on a full disk the log refuses with the reason, and has all it acknowledged when there is room again [L1] [L4]', async (t) => {
  const folder = temporaryFolder(t)
  const mount = join(folder, 'full')
  mkdirSync(mount)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'none', mount]).status !== 0) return t.skip('needs root to mount a small file system')
  const signer = newSigner()
  try {
    const { log } = await openLog(await openLogFolder(join(mount, 'log')), signer, { checkpointIntervalMs: 1, segmentBytesMax: 20_000 })
    let acknowledged = 0
    let fault: unknown
    while (fault === undefined) {
      const wave = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => log.append(eventNumber(acknowledged + at))))
      for (const result of wave) {
        if (result.status === 'fulfilled') acknowledged += 1
        else fault = result.reason
      }
    }
    assert.ok(fault instanceof Fault)
    assert.equal(log.isAvailable, false)
    await log.close()
    assert.equal(spawnSync('mount', ['-o', 'remount,size=4m', mount]).status, 0)
    const { log: reopened, recovered } = await openLog(await openLogFolder(join(mount, 'log')), signer)
    assert.ok(recovered.size >= acknowledged && acknowledged > 0)
    await reopened.close()
    const verdict = await verifyAsOutsider(join(mount, 'log'), signer)
    assert.equal(verdict.kind, 'verified', verdict.kind === 'fault' ? verdict.text : '')
  } finally {
    spawnSync('umount', ['-l', mount])
  }
})

test('past the largest file that the system allows the log refuses, and has all it acknowledged afterwards [L1] [L4]', async (t) => {
  const folder = temporaryFolder(t)
  const keyFile = join(folder, 'key.pem')
  const pem = newLogKeyPem()
  writeFileSync(keyFile, pem)
  const child = fileURLToPath(new URL('../fixtures/log-writer-child.ts', import.meta.url))
  // 16 KiB: less than a journal segment of the child.
  const writer = spawnSync('bash', ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, child, join(folder, 'log'), keyFile], { encoding: 'utf8' })
  assert.equal(writer.status, 3, writer.stderr)
  assert.match(writer.stdout, /isAvailable false\n$/)
  const acknowledged = writer.stdout.split('\n').slice(0, -2).map(Number)
  assert.ok(acknowledged.length > 0)
  const { log, recovered } = await openLog(await openLogFolder(join(folder, 'log')), signerOf(pem))
  assert.ok(recovered.size > Math.max(...acknowledged))
  await log.close()
  assert.equal((await verifyAsOutsider(join(folder, 'log'), signerOf(pem))).kind, 'verified')
})
