import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { logSize } from '../../packages/gateway/src/audit/reader.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { eventNumber, newSigner, numbersOf, readAll, signerOf, newLogKeyPem, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

const neverMs = 1_000_000

test('a new log is verifiable before its first entry [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 0)
  const verdict = await verifyAsOutsider(folder, signer)
  assert.equal(verdict.kind, 'verified')
  assert.equal(verdict.kind === 'verified' && verdict.size, 0)
})

test('an event that no reader would take is refused, and leaves nothing behind [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(folder), signer, {})
  const odd = { ...eventNumber(1), type: 'outcome', decision: -1 } as unknown as ReturnType<typeof eventNumber> // as a bug would make it
  await assert.rejects(log.append(odd), (error) => error instanceof Fault && error.outcome === 'not-done')
  assert.equal(await log.append(eventNumber(2)), 0)
  await log.close()
  const verdict = await verifyAsOutsider(folder, signer)
  assert.equal(verdict.kind === 'verified' && verdict.size, 1)
})

test('entries stand in call order over many reopenings, and an outsider verifies them [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const sizes = [1, 2, 255, 256, 257, 511, 512, 513, 700, 1600]
  let from = 0
  for (const size of sizes) {
    await writeLog(folder, signer, from, size, { segmentBytesMax: 20_000 })
    const verdict = await verifyAsOutsider(folder, signer)
    assert.equal(verdict.kind, 'verified', verdict.kind === 'fault' ? verdict.text : '')
    assert.equal(verdict.kind === 'verified' && verdict.size, size)
    from = size
  }
  assert.deepEqual(
    numbersOf(await readAll(folder)),
    Array.from({ length: 1600 }, (_, number) => number),
  )
  // What full bundles hold has left the journal, and full tiles have taken the place of partial ones.
  assert.ok(readdirSync(join(folder, 'journal')).every((name) => Number.parseInt(name, 10) > 512))
  assert.deepEqual(existsSync(join(folder, 'tile/entries/000.p')) ? readdirSync(join(folder, 'tile/entries/000.p')) : [], [])
})

test('an entry is in the journal when its append resolves, before any checkpoint covers it [L4]', async (t) => {
  const folder = temporaryFolder(t)
  const { log } = await openLog(await openLogFolder(folder), newSigner(), { checkpointIntervalMs: neverMs })
  const indexes = await Promise.all([log.append(eventNumber(0)), log.append(eventNumber(1))])
  assert.deepEqual(indexes, [0, 1])
  assert.deepEqual(numbersOf(await readAll(folder)), [0, 1])
  assert.match(readFileSync(join(folder, 'checkpoint'), 'utf8'), /\n0\n/)
  await log.close()
  assert.match(readFileSync(join(folder, 'checkpoint'), 'utf8'), /\n2\n/)
})

test('nothing is acknowledged before the disk has it, and entries that wait together share one write [L4]', async (t) => {
  const files = await openLogFolder(temporaryFolder(t))
  const disk = Promise.withResolvers<void>()
  let writes = 0
  const slow = {
    ...files,
    append: async (bytes: Uint8Array) => {
      writes += 1
      await files.append(bytes)
      await disk.promise
    },
  }
  const { log } = await openLog(slow, newSigner(), { checkpointIntervalMs: neverMs })
  let acknowledged = 0
  const append = async (number: number): Promise<void> => {
    await log.append(eventNumber(number))
    acknowledged += 1
  }
  const first = Promise.all(Array.from({ length: 100 }, (_, number) => append(number)))
  while (writes === 0) await new Promise((resolve) => setImmediate(resolve))
  const second = Promise.all(Array.from({ length: 100 }, (_, at) => append(100 + at)))
  for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([acknowledged, writes], [0, 1])
  disk.resolve()
  await Promise.all([first, second])
  assert.deepEqual([acknowledged, writes], [200, 2])
  await log.close()
})

test('a checkpoint follows by itself', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const files = await openLogFolder(folder)
  const published = Promise.withResolvers<void>()
  const watched = {
    ...files,
    publish: async (path: string, bytes: Uint8Array) => {
      await files.publish(path, bytes)
      if (path === 'checkpoint' && /\n3\n/.test(Buffer.from(bytes).toString())) published.resolve()
    },
  }
  const { log } = await openLog(watched, signer, { checkpointIntervalMs: 1 })
  await Promise.all([0, 1, 2].map((number) => log.append(eventNumber(number))))
  await published.promise
  assert.equal((await verifyAsOutsider(folder, signer)).kind, 'verified')
  await log.close()
})

test('a second gateway on the same folder is refused, and the folder is free again after the first [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const files = await openLogFolder(folder)
  await assert.rejects(
    openLogFolder(folder),
    (error) => error instanceof Fault && error.outcome === 'not-done' && error.message.includes(`process ${process.pid}`),
  )
  await files.close()
  await (await openLogFolder(folder)).close()
})

test('entries that are too large, too many or too late are refused and take no place', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(folder), signer, { queueEntriesMax: 2 })
  const isRefused = (error: unknown): boolean => error instanceof Fault && error.outcome === 'not-done'
  await assert.rejects(log.append({ v: 1, type: 'admin', time: eventNumber(0).time, act: 'x'.repeat(65_536), subject: {} }), isRefused)
  await assert.rejects(log.append({ v: 1, type: 'admin', time: eventNumber(0).time, act: '\ud800', subject: {} }), isRefused)
  await assert.rejects(log.append({ v: 1, type: 'admin', time: eventNumber(0).time, act: 'test', subject: { number: Number.NaN } }), isRefused)
  const first = log.append(eventNumber(0))
  const second = log.append(eventNumber(1))
  await assert.rejects(log.append(eventNumber(2)), isRefused)
  assert.deepEqual(await Promise.all([first, second]), [0, 1])
  await log.close()
  assert.equal(log.isAvailable, false)
  await assert.rejects(log.append(eventNumber(3)), isRefused)
  assert.deepEqual(numbersOf(await readAll(folder)), [0, 1])
})

test('a clock that was set back, even across a restart, does not spoil the log', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 1000, 1001)
  const { log, recovered } = await openLog(await openLogFolder(folder), signer)
  assert.equal(recovered.lastTime, eventNumber(1000).time)
  await log.append(eventNumber(5))
  await log.close()
  const records = await readAll(folder)
  assert.equal(records[1]?.event.time, eventNumber(1000).time)
  assert.equal((await verifyAsOutsider(folder, signer)).kind, 'verified')
})

test('cut at any byte of the newest batch, the log opens with everything before it and verifies [L4]', async (t) => {
  const master = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(master), signer, { checkpointIntervalMs: neverMs })
  await Promise.all([0, 1, 2].map((number) => log.append(eventNumber(number))))
  const segment = join('journal', readdirSync(join(master, 'journal'))[0] ?? assert.fail())
  const before = statSync(join(master, segment)).size
  await Promise.all([3, 4].map((number) => log.append(eventNumber(number))))
  const whole = readFileSync(join(master, segment))

  const work = temporaryFolder(t)
  for (let at = before; at < whole.length; at += 1) {
    // Two ways in which a machine stops: the tail is missing, or it is there and scrambled.
    for (const tail of [whole.subarray(0, at), Buffer.concat([whole.subarray(0, at), Buffer.from([(whole[at] ?? 0) ^ 0x55]), whole.subarray(at + 1)])]) {
      const folder = join(work, `${at}-${tail.length}`)
      cpSync(master, folder, { recursive: true, filter: (path) => !path.endsWith('/lock') })
      writeFileSync(join(folder, segment), tail)
      const opened = await openLog(await openLogFolder(folder), signer, { checkpointIntervalMs: neverMs })
      assert.equal(opened.recovered.size, 3, `byte ${at}`)
      assert.equal(opened.recovered.bytesCut, tail.length - before)
      assert.equal(await opened.log.append(eventNumber(9)), 3)
      await opened.log.close()
      if (at % 16 > 0) continue
      assert.deepEqual(numbersOf(await readAll(folder)), [0, 1, 2, 9])
      assert.equal((await verifyAsOutsider(folder, signer)).kind, 'verified')
    }
  }
  await log.close()
})

test('a batch damaged in front of acknowledged ones is no torn tail: the log does not open and names the entry [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const copy = temporaryFolder(t)
  const { log } = await openLog(await openLogFolder(folder), signer, { checkpointIntervalMs: neverMs })
  for (let number = 0; number < 5; number += 1) await log.append(eventNumber(number))
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') })
  await log.close()
  const segment = join(copy, 'journal', readdirSync(join(copy, 'journal'))[0] ?? assert.fail())
  const bytes = readFileSync(segment)
  bytes.writeUInt8(bytes.readUInt8(bytes.indexOf('"number":2') + 9) ^ 1, bytes.indexOf('"number":2') + 9)
  writeFileSync(segment, bytes)
  await assert.rejects(
    openLogFolder(copy).then((files) => openLog(files, signer)),
    (error) => error instanceof Fault && /damaged at entry 2/.test(error.message),
  )
  assert.deepEqual(readFileSync(segment), bytes) // nothing was cut
})

test('with another key the log does not open', async (t) => {
  const folder = temporaryFolder(t)
  await writeLog(folder, newSigner(), 0, 3)
  await assert.rejects(
    openLogFolder(folder).then((files) => openLog(files, signerOf(newLogKeyPem()))),
    (error) => error instanceof Fault && /not its own/.test(error.message),
  )
})

test('reading is safe while the log is written', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(folder), signer, { checkpointIntervalMs: 1, segmentBytesMax: 10_000 })
  let appended = 0
  const writing = (async () => {
    for (; appended < 4000; appended += 40) await Promise.all(Array.from({ length: 40 }, (_, at) => log.append(eventNumber(appended + at))))
  })()
  let looks = 0
  while (appended < 4000) {
    const atLeast = appended
    const records = await readAll(folder)
    assert.ok(records.length >= atLeast, `${records.length} of ${atLeast}`)
    assert.deepEqual(numbersOf(records), [...records.keys()])
    const verdict = await verifyAsOutsider(folder, signer)
    assert.equal(verdict.kind, 'verified', verdict.kind === 'fault' ? verdict.text : '')
    looks += 1
  }
  await writing
  await log.close()
  assert.ok(looks > 0)
  assert.equal(await logSize(viewLogFolder(folder)), 4000)
})
