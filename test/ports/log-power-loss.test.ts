import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { disk, losses, type DiskFailure } from '../fixtures/volatile-disk.ts'

const { openLog } = await import('../../packages/gateway/src/audit/sequencer.ts')
const { keptCheckpoint } = await import('../../packages/gateway/src/control/data-folder.ts')
const { openLogFolder } = await import('../../packages/gateway/src/drivers/posix-log/log-folder.ts')
const { eventNumber, newLogKeyPem, numbersOf, readAll, signerOf, temporaryFolder, verifyAsOutsider } = await import('../fixtures/log-folder.ts')

const entries = 300
const wave = 100
const never = 0
/** Each call at the start, where everything happens for the first time, then some. */
const nextCall = (failAt: number): number => failAt + (failAt < 24 ? 1 : 37)

interface Trial {
  /** Indexes of which a caller was told that they are durable. */
  readonly acknowledged: readonly number[]
  /** Every checkpoint that an outsider could have read. */
  readonly shown: ReadonlySet<string>
  readonly calls: number
}

/** Writes until the disk fails at its `failAt`-th call that changes something. */
async function writeUntilFailure(folder: string, pem: string, failAt: number, failure: DiskFailure): Promise<Trial> {
  const shown = new Set<string>()
  const acknowledged: number[] = []
  disk.watch(folder, failAt, failure)
  disk.onName = (path) => basename(path) === 'checkpoint' && shown.add(readFileSync(path, 'utf8'))
  try {
    const { log } = await openLog(await openLogFolder(join(folder, 'log')), signerOf(pem), {
      checkpointIntervalMs: 1,
      segmentBytesMax: 20_000,
      kept: keptCheckpoint(folder),
    })
    for (let number = 0; number < entries && log.isAvailable; number += wave) {
      const told = await Promise.allSettled(Array.from({ length: wave }, (_, at) => log.append(eventNumber(number + at))))
      for (const one of told) {
        if (one.status === 'fulfilled') acknowledged.push(one.value)
        else assert.ok(one.reason instanceof Fault)
      }
    }
    await log.close().catch((error: unknown) => assert.ok(error instanceof Fault))
  } catch (error) {
    if (!(error instanceof Fault)) throw error // the disk failed while the log was opened
  }
  return { acknowledged, shown, calls: disk.calls }
}

/** Opens the log on a sound disk, writes on, and looks at it as an outsider who has seen every checkpoint there ever was. */
async function assertGoesOn(folder: string, pem: string, { acknowledged, shown }: Trial, where: string): Promise<void> {
  const log = join(folder, 'log')
  disk.watch(folder, never, 'not done')
  const { log: reopened, recovered } = await openLog(await openLogFolder(log), signerOf(pem), { kept: keptCheckpoint(folder) })
  assert.ok(
    acknowledged.every((index) => index < recovered.size),
    `${where}: ${recovered.size} entries of ${acknowledged.length} acknowledged`,
  )
  await reopened.append(eventNumber(10_000))
  await reopened.close()
  const verdict = await verifyAsOutsider(log, signerOf(pem), { earlier: [...shown] })
  assert.equal(verdict.kind, 'verified', `${where}: ${verdict.kind === 'fault' ? verdict.text : ''}`)
  const numbers = numbersOf(await readAll(log)).slice(0, -1)
  assert.deepEqual(numbers, [...numbers.keys()], where)
}

for (const failure of ['not done', 'done', 'half done'] as const) {
  test(`whichever system call fails (${failure}), nothing acknowledged is lost, and no checkpoint that was ever visible is contradicted [L1] [L4]`, async (t) => {
    const folder = temporaryFolder(t)
    const pem = newLogKeyPem()
    let trials = 0
    for (let failAt = 1; ; failAt = nextCall(failAt), trials += 1) {
      const here = join(folder, String(failAt))
      mkdirSync(here)
      const trial = await writeUntilFailure(here, pem, failAt, failure)
      await assertGoesOn(here, pem, trial, `call ${failAt}`)
      if (trial.calls < failAt) break
    }
    assert.ok(trials > 20, `${trials} trials`)
  })
}

for (const loss of losses) {
  test(`the power fails at any system call, and ${loss} is lost: nothing acknowledged is, and no checkpoint that was ever visible is contradicted [L1] [L4]`, async (t) => {
    const folder = temporaryFolder(t)
    const pem = newLogKeyPem()
    let trials = 0
    for (let failAt = 1; ; failAt = nextCall(failAt), trials += 1) {
      const [here, after] = [join(folder, String(failAt)), join(folder, `${failAt}-after`)]
      mkdirSync(here)
      mkdirSync(after)
      const trial = await writeUntilFailure(here, pem, failAt, 'power cut')
      disk.recoverInto(after, loss)
      await assertGoesOn(after, pem, trial, `call ${failAt}`)
      if (trial.calls < failAt) break
    }
    assert.ok(trials > 20, `${trials} trials`)
  })
}

test('the power fails again at any system call while the log recovers: still nothing acknowledged is lost [L1] [L4]', async (t) => {
  const folder = temporaryFolder(t)
  const pem = newLogKeyPem()
  for (const first of [9, 17, 24]) {
    const [here, once] = [join(folder, String(first)), join(folder, `${first}-once`)]
    mkdirSync(here)
    mkdirSync(once)
    const before = await writeUntilFailure(here, pem, first, 'power cut')
    disk.recoverInto(once, 'half of the content that was not synced')
    disk.unwatch()
    for (let failAt = 1; ; failAt = nextCall(failAt)) {
      const [again, after] = [join(folder, `${first}-again-${failAt}`), join(folder, `${first}-after-${failAt}`)]
      cpSync(once, again, { recursive: true })
      mkdirSync(after)
      disk.watch(again, failAt, 'power cut')
      const opened = await openLogFolder(join(again, 'log'))
        .then((files) => openLog(files, signerOf(pem), { kept: keptCheckpoint(again) }))
        .catch((error: unknown) => assert.ok(error instanceof Fault))
      await opened?.log.close().catch((error: unknown) => assert.ok(error instanceof Fault))
      disk.recoverInto(after, 'all that was not synced')
      const { calls } = disk
      await assertGoesOn(after, pem, before, `call ${first}, then ${failAt}`)
      if (calls < failAt) break
    }
  }
})

test('the process is killed at any system call and started again, and then the power fails: what either acknowledged is there [L1] [L4]', async (t) => {
  const folder = temporaryFolder(t)
  const pem = newLogKeyPem()
  for (let failAt = 1; ; failAt = nextCall(failAt)) {
    const [here, after] = [join(folder, String(failAt)), join(folder, `${failAt}-after`)]
    mkdirSync(here)
    mkdirSync(after)
    const { acknowledged, shown, calls } = await writeUntilFailure(here, pem, failAt, 'power cut')
    disk.goOn()
    const { log, recovered } = await openLog(await openLogFolder(join(here, 'log')), signerOf(pem), { kept: keptCheckpoint(here) })
    const more = await Promise.all(Array.from({ length: 300 }, (_, at) => log.append(eventNumber(recovered.size + at))))
    await log.close()
    disk.recoverInto(after, 'all that was not synced')
    await assertGoesOn(after, pem, { acknowledged: [...acknowledged, ...more], shown, calls }, `call ${failAt}`)
    if (calls < failAt) break
  }
})
