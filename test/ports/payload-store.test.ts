import assert from 'node:assert/strict'
import { createHash, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { PayloadSeal, type SealedPayload } from '../../packages/gateway/src/audit/payload.ts'
import { agentMark, type PayloadFiles, type StoredPayload } from '../../packages/gateway/src/control/payloads/payload-files.ts'
import { payloadsOfAgentMax, PayloadStore } from '../../packages/gateway/src/control/payloads/payload-store.ts'
import { payloadFilesIn } from '../../packages/gateway/src/drivers/payload-files/payload-files.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { principalOf } from '../fixtures/access-request.ts'

const principal = await principalOf('acme', 'bot')
const seal = new PayloadSeal({
  keys: recordSeal(randomBytes(32), randomBytes),
  under: (key) => recordSeal(key, randomBytes),
  digestKey: createSecretKey(randomBytes(32)),
  random: randomBytes,
})
const sealed = (id: string = randomUUID()): SealedPayload => seal.seal({ id, principal }, { arguments: { id } }, 1_764_061_200_000)
const plenty = () => ({ bytes: 1_000_000, agentBytes: 1_000_000 })

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-payloads-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'payloads')
}

/** The files, of which one verb fails once: before it has done anything, or when it has done all. */
function failing(files: PayloadFiles, verb: 'write' | 'destroy', when: 'before' | 'after'): PayloadFiles {
  let isDue = true
  const around = async <Result>(own: string, work: () => Promise<Result>): Promise<Result> => {
    if (own !== verb || !isDue) return work()
    isDue = false
    if (when === 'after') await work()
    throw new Fault('the disk failed', 'unknown')
  }
  return {
    ...files,
    write: (payload, bytes) => around('write', () => files.write(payload, bytes)),
    destroy: (all) => around('destroy', () => files.destroy(all)),
  }
}

const digests = (stored: Iterable<StoredPayload>): readonly string[] => [...stored].map(({ digest }) => digest)

test('what is kept is found again by whoever opens the folder next, with its size and its age, and opens', async (t) => {
  const folder = await folderOf(t)
  const store = await PayloadStore.open(payloadFilesIn(folder), plenty)
  const id = randomUUID()
  const payload = sealed(id)
  assert.equal(await store.keep(payload), 'kept')
  const again = await PayloadStore.open(payloadFilesIn(folder), plenty)
  const found = again.find(payload.cited.digest)
  assert.ok(found)
  assert.deepEqual([found.capturedAt, found.bytes, again.status], [payload.capturedAt, payload.bytes.length, store.status])
  assert.deepEqual(JSON.parse(seal.open({ request: id, digest: found.digest }, await again.read(found))), { arguments: { id } })
})

for (const when of ['before', 'after'] as const) {
  test(`a write that fails ${when} it was done keeps nothing, and gives back its room`, async (t) => {
    const folder = await folderOf(t)
    const store = await PayloadStore.open(failing(payloadFilesIn(folder), 'write', when), () => ({ bytes: 4096, agentBytes: 4096 }))
    await assert.rejects(store.keep(sealed()), Fault)
    assert.deepEqual(await readdir(folder).catch(() => []), [])
    assert.equal(await store.keep(sealed()), 'kept')
    assert.equal(await store.keep(sealed()), 'full')
  })

  test(`a payload whose destruction fails ${when} it was done counts on until it is destroyed`, async (t) => {
    const folder = await folderOf(t)
    const store = await PayloadStore.open(failing(payloadFilesIn(folder), 'destroy', when), plenty)
    const payload = sealed()
    await store.keep(payload)
    await assert.rejects(store.drop(payload.cited.digest), Fault)
    assert.equal(store.status.kept, 1)
    await store.drop(payload.cited.digest)
    assert.deepEqual([store.status, await readdir(folder)], [{ kept: 0, bytes: 0 }, []])
  })
}

test('of a write that a crash cut off nothing is left, at whatever byte it was', async (t) => {
  const folder = await folderOf(t)
  const store = await PayloadStore.open(payloadFilesIn(folder), plenty)
  const kept = sealed()
  await store.keep(kept)
  const [name = ''] = await readdir(folder)
  const whole = await readFile(join(folder, name))
  for (const length of [0, 1, 70, 71, whole.length]) {
    const other = name.replace(kept.cited.digest, createHash('sha256').update(String(length)).digest('base64url'))
    await writeFile(join(folder, `${other}.unfinished`), whole.subarray(0, length))
    const again = await PayloadStore.open(payloadFilesIn(folder), plenty)
    assert.deepEqual(digests(again.all()), [kept.cited.digest])
    assert.deepEqual(await readdir(folder), [name])
  }
})

test('no two payloads take the same room', async (t) => {
  const folder = await folderOf(t)
  const store = await PayloadStore.open(payloadFilesIn(folder), () => ({ bytes: 3 * 4096, agentBytes: 1_000_000 }))
  const kept = await Promise.all(Array.from({ length: 6 }, () => store.keep(sealed())))
  assert.deepEqual(kept.toSorted(), ['full', 'full', 'full', 'kept', 'kept', 'kept'])
  assert.equal((await readdir(folder)).length, 3)
})

test('files of other names are nothing to it, and stay', async (t) => {
  const folder = await folderOf(t)
  const store = await PayloadStore.open(payloadFilesIn(folder), plenty)
  await store.keep(sealed())
  const [name = ''] = await readdir(folder)
  await copyFile(join(folder, name), join(folder, `${name}.copy`))
  assert.equal((await PayloadStore.open(payloadFilesIn(folder), plenty)).status.kept, 1)
  assert.equal((await readdir(folder)).length, 2)
})

test('one agent has a quarter of the number too, however small its payloads are', async () => {
  const bot = 'b'.repeat(10)
  const stored = Array.from({ length: payloadsOfAgentMax - 1 }, (_, at) => ({
    digest: String(at),
    capturedAt: at,
    bytes: 1,
    tenant: bot,
    agent: agentMark('acme', 'bot'),
  }))
  const files: PayloadFiles = { list: async () => stored, write: async () => undefined, read: async () => undefined, destroy: async () => [] }
  const store = await PayloadStore.open(files, () => ({ bytes: 1e12, agentBytes: 1e12 }))
  const last = sealed()
  const other = await principalOf('acme', 'other')
  assert.deepEqual([await store.keep(last), await store.keep(sealed())], ['kept', 'full'])
  assert.equal(await store.keep(seal.seal({ id: 'x', principal: other }, { arguments: {} }, 1)), 'kept')
  await store.drop(last.cited.digest)
  assert.equal(await store.keep(sealed()), 'kept')
})
