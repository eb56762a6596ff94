import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundlePath, tilePath } from '@sallyport/contract/log'
import { openArchive, prefix, runningArchive, shipUntil, verifyArchive } from '../../../../test/fixtures/archived-log.ts'
import { newSigner, replaceEntry, temporaryFolder, writeLog } from '../../../../test/fixtures/log-folder.ts'
import { objectLockServer } from '../../../../test/fixtures/object-lock-server.ts'
import { archivedCheckpointPath } from './archive-store.ts'
import { archiveBackOffMs, archiveBehindMsMax, conflictNotedEveryMs } from './run-archive.ts'

test('what a checkpoint covers is kept locked, each file once, and verifies from the archive alone as it grows', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer({ pageKeys: 3 })
  await writeLog(join(folder, 'log'), signer, 0, 600)
  const { one, noted } = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(one, 600)
  assert.deepEqual(
    server.keys().map((key) => key.slice(prefix.length)),
    [
      archivedCheckpointPath('checkpoints', 600),
      tilePath({ level: 0, index: 0, width: 256 }),
      tilePath({ level: 0, index: 1, width: 256 }),
      tilePath({ level: 0, index: 2, width: 88 }),
      tilePath({ level: 1, index: 0, width: 2 }),
      bundlePath(0, 256),
      bundlePath(1, 256),
      bundlePath(2, 88),
    ].sort(),
  )
  for (const key of server.keys()) {
    const [version, ...more] = server.versions(key)
    assert.equal(more.length, 0)
    assert.ok((version?.lockedUntilMs ?? 0) > Date.now() + 2554 * 86_400_000, key)
  }
  assert.deepEqual(noted, [{ act: 'archive.started', subject: { retainDays: 2555 } }])

  await writeLog(join(folder, 'log'), signer, 600, 1100)
  const before = server.asked.length
  const again = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(again.one, 1100)
  const puts = server.asked.slice(before).filter((asked) => asked.startsWith('PUT'))
  assert.equal(new Set(puts).size, puts.length)
  assert.ok(!puts.includes(`PUT ${prefix}${bundlePath(1, 256)}`), 'what was there is not sent again')
  assert.deepEqual(again.noted, [])
  const { verdict, tampering } = await verifyArchive(server, signer)
  assert.ok(verdict.kind === 'verified', verdict.kind === 'fault' ? verdict.text : '')
  assert.deepEqual([verdict.size, tampering], [1100, undefined])
})

test('without its cursor it finds what is there and changes nothing', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  for (const cursors of ['one', 'other']) await shipUntil(runningArchive(join(folder, 'log'), join(folder, cursors), signer, server).one, 300)
  for (const key of server.keys()) assert.equal(server.versions(key).length, 1)
})

test('entries that are not those that were signed never reach the archive, where nobody could take them away', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  replaceEntry(join(folder, 'log'), 5, 300, () => Buffer.from('{}'))
  const { one, reported } = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(one, () => one.state.failures > 0)
  assert.match(reported.join(), /not those that were signed/)
  assert.deepEqual(server.keys(), [])
})

test('an archive that is away or busy is behind until it is back, and the log says both, once', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 10)
  let nowMs = Date.now()
  server.mode = 'reset'
  const { one, noted, reported } = runningArchive(join(folder, 'log'), folder, signer, server, { now: () => nowMs })
  const stopping = new AbortController()
  const work = one.run(stopping.signal)
  const until = async (is: () => boolean): Promise<void> => {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until(() => one.state.failures === 1)
  assert.deepEqual([one.state.size, one.state.lagEntries], [0, 10])
  assert.equal(noted.length, 0)
  nowMs += archiveBehindMsMax + archiveBackOffMs.least
  await until(() => one.state.failures === 2)
  assert.deepEqual(noted, [{ act: 'archive.behind', subject: { entries: 10, archived: 0 } }])
  server.mode = 'well'
  await until(() => one.state.lagEntries === 0 && noted.length === 3)
  assert.deepEqual(noted.slice(1), [
    { act: 'archive.started', subject: { retainDays: 2555 } },
    { act: 'archive.caught-up', subject: { archived: 10 } },
  ])
  assert.equal(reported.length, 1, 'the same trouble is told once')
  stopping.abort()
  await work
})

test('a log that grows while it is looked at is not behind as long as each round arrives', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 10)
  let nowMs = Date.now()
  let size = 10
  const { one, noted } = runningArchive(join(folder, 'log'), folder, signer, server, {
    now: () => nowMs,
    open: async () => {
      const store = await openArchive(server)
      return {
        ...store,
        keep: async (path, bytes, untilMs) => {
          const kept = await store.keep(path, bytes, untilMs)
          if (path !== archivedCheckpointPath('checkpoints', size) || size === 14) return kept
          await writeLog(join(folder, 'log'), signer, size, size + 1)
          size += 1
          nowMs += archiveBehindMsMax / 2
          await one.look()
          return kept
        },
      }
    },
  })
  await shipUntil(one, 14)
  assert.deepEqual(
    noted.map(({ act }) => act),
    ['archive.started'],
  )
})

test('another object in the place of one of the log is an alarm, noted once in an hour, and is left alone', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  const { one: stranger } = runningArchive(join(folder, 'other'), join(folder, 'x'), signer, server)
  await writeLog(join(folder, 'other'), signer, 1000, 1300)
  await shipUntil(stranger, 300)
  let nowMs = Date.now()
  const { one, noted } = runningArchive(join(folder, 'log'), folder, signer, server, { now: () => nowMs })
  await shipUntil(one, () => one.state.failures === 2)
  const conflicts = (): number => noted.filter(({ act }) => act === 'archive.conflict').length
  assert.ok(one.state.conflict)
  assert.equal(conflicts(), 1)
  nowMs += conflictNotedEveryMs
  await shipUntil(one, () => one.state.failures === 3)
  assert.equal(conflicts(), 2)
  for (const key of server.keys()) assert.equal(server.versions(key).length, 1)
})

test('a log that was put in the place of another is compared from its first entry', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer()
  await writeLog(join(folder, 'log'), signer, 0, 300)
  await shipUntil(runningArchive(join(folder, 'log'), folder, signer, server).one, 300)
  rmSync(join(folder, 'log'), { recursive: true })
  await writeLog(join(folder, 'log'), signer, 500, 1000)
  const { one, reported } = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(one, () => one.state.conflict !== undefined)
  assert.match(reported[0] ?? '', /another log/)
})

test('a bucket without Object Lock gets nothing', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using server = await objectLockServer({ isLocked: false })
  await writeLog(join(folder, 'log'), signer, 0, 10)
  const { one, reported } = runningArchive(join(folder, 'log'), folder, signer, server)
  await shipUntil(one, () => one.state.failures > 0)
  assert.match(reported.join(), /no Object Lock/)
  assert.deepEqual(server.keys(), [])
})
