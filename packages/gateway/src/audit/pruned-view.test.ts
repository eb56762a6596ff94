import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bundlePath, parseTilePath, tilePath, type LogReader, type PrunedPart } from '@sallyport/contract/log'
import {
  newSigner,
  numbersOf,
  publishedFile,
  readAll,
  signCheckpoint,
  temporaryFolder,
  verifyAsOutsider,
  writeLog,
} from '../../../../test/fixtures/log-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { removeBundles } from '../drivers/posix-log/remove-bundles.ts'
import { checkpointOver, copyLog, rootAt } from './copy-log.ts'
import type { LogView } from './log-files.ts'
import type { LogSigner } from './log-key.ts'
import { prove } from './prove.ts'
import { viewPruned } from './pruned-view.ts'
import { readForward, readRecord, type LogRecord } from './reader.ts'
import { ServedLog } from './served-log.ts'

const size = 1000
const pruned = 512

interface Pruned {
  readonly folder: string
  readonly signer: LogSigner
  readonly part: PrunedPart
  readonly before: readonly LogRecord[]
  /** The bundles that are gone, by their paths. */
  readonly gone: ReadonlyMap<string, Uint8Array>
}

async function prunedLog(t: TestContext): Promise<Pruned> {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, size)
  const before = await readAll(folder)
  const gone = new Map([0, 1].map((bundle) => [bundlePath(bundle, 256), readFileSync(join(folder, bundlePath(bundle, 256)))]))
  const part = { size: pruned, root: await rootAt(viewLogFolder(folder), pruned) }
  await removeBundles(folder, pruned)
  return { folder, signer, part, before, gone }
}

function viewWith({ folder }: Pruned, archived?: ReadonlyMap<string, Uint8Array>): LogView {
  const reader: Pick<LogReader, 'tile'> = { tile: (path) => Promise.resolve(archived?.get(path)) }
  return viewPruned(viewLogFolder(folder), () => Promise.resolve(pruned), archived && reader)
}

async function all(view: LogView): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of readForward(view)) records.push(record)
  return records
}

test('with its archive a pruned log is read as if nothing were gone, and proves what is gone', async (t) => {
  const log = await prunedLog(t)
  const view = viewWith(log, log.gone)
  assert.deepEqual(await all(view), log.before)
  assert.equal((await prove(view, 3, log.signer.key)).kind, 'proved')
})

test('what the archive gives in place of an entry must hash to the tiles that are here', async (t) => {
  const log = await prunedLog(t)
  const [first, second] = [...log.gone.values()]
  assert.ok(first && second)
  for (const other of [second, first.subarray(0, -1), Buffer.concat([first, Buffer.from([0])]), Buffer.alloc(0)]) {
    const view = viewWith(log, new Map(log.gone).set(bundlePath(0, 256), other))
    await assert.rejects(readRecord(view, 0), /does not hash to what the log says/)
    assert.ok(await readRecord(view, 256))
  }
  await assert.rejects(readRecord(viewWith(log, new Map()), 0), /the archive does not have it/)
})

test('without one, whoever comes to what is gone is told where it is, and the rest is read', async (t) => {
  const log = await prunedLog(t)
  const view = viewWith(log)
  await assert.rejects(all(view), /entry 0 is not here: the first 512 were pruned.*fetch-archive/)
  const rest: LogRecord[] = []
  for await (const record of readForward(view, { index: pruned })) rest.push(record)
  assert.deepEqual(numbersOf(rest), numbersOf(log.before.slice(pruned)))
  const key = log.signer.key
  const served = new ServedLog(viewLogFolder(log.folder), key, false, () => Promise.resolve(pruned))
  const resourceOf = (path: string) => parseTilePath(path) ?? assert.fail()
  assert.equal(await served.read(resourceOf(bundlePath(1, 256))), undefined)
  assert.ok(await served.read(resourceOf(bundlePath(2, 256))))
  assert.ok(await served.read(resourceOf(tilePath({ level: 0, index: 1, width: 256 }))))
})

test('a pruned log verifies against what was signed and against checkpoints of the part that is gone', async (t) => {
  const { folder, signer, part } = await prunedLog(t)
  const verify = (options: object = {}) => verifyAsOutsider(folder, signer, { pruned: part, ...options })
  const verdict = await verify()
  assert.ok(verdict.kind === 'verified')
  assert.deepEqual([verdict.size, verdict.prunedSize], [size, pruned])
  assert.equal((await verifyAsOutsider(folder, signer)).kind, 'fault')
  const earlier = await signCheckpoint(signer, 256, await rootAt(viewLogFolder(folder), 256))
  assert.equal((await verify({ earlier: [earlier] })).kind, 'verified')
  const fault = async (options: object = {}): Promise<string> => {
    const found = await verify(options)
    return found.kind === 'fault' ? found.check : 'verified'
  }
  assert.equal(await fault({ earlier: [await signCheckpoint(signer, 300, Buffer.alloc(32))] }), 'history-rewritten')
  assert.equal(await fault({ pruned: { ...part, root: Buffer.alloc(32) } }), 'history-rewritten')
  const tile = publishedFile(folder, 0, 1, size)
  const bytes = readFileSync(tile)
  writeFileSync(tile, bytes.with(3, (bytes[3] ?? 0) ^ 1))
  assert.equal(await fault(), 'history-rewritten')
  writeFileSync(tile, bytes.subarray(0, -32))
  assert.equal(await fault(), 'tile-missing')
})

test('a copy of a pruned log has all its tiles and the entries that are here', async (t) => {
  const { folder, signer, part } = await prunedLog(t)
  const view = viewLogFolder(folder)
  const checkpoint = (await checkpointOver(view, signer.key, size - 1)) ?? assert.fail()
  const paths: string[] = []
  for await (const { path, bytes } of copyLog(view, checkpoint, part.size)) {
    paths.push(path)
    assert.deepEqual(Buffer.from(bytes), readFileSync(join(folder, path)), path)
  }
  assert.deepEqual(
    paths.toSorted(),
    [
      'checkpoint',
      ...[0, 1, 2].map((index) => tilePath({ level: 0, index, width: 256 })),
      tilePath({ level: 0, index: 3, width: size - 768 }),
      tilePath({ level: 1, index: 0, width: 3 }),
      bundlePath(2, 256),
      bundlePath(3, size - 768),
    ].toSorted(),
  )
})
