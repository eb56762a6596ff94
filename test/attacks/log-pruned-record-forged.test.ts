/** Whoever can write the data folder takes entries away and writes what shall stand in for them: no quota used, an approval given. */
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHmac, randomBytes } from 'node:crypto'
import { createSecretKey } from 'node:crypto'
import { rootAt } from '../../packages/gateway/src/audit/copy-log.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { keepPrunedLog, readPrunedLog } from '../../packages/gateway/src/control/pruned-log.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { removeBundles } from '../../packages/gateway/src/drivers/posix-log/remove-bundles.ts'
import { PolicyState } from '../../packages/gateway/src/policy/state.ts'
import { snapshotOf } from '../../packages/gateway/src/policy/state-snapshot.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'

const sealingKey = randomBytes(32)
const state = snapshotOf(new PolicyState())

test('a record of what was pruned that bears no mark of the gateway, or that of another key, is not taken', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'log.pruned')
  await keepPrunedLog(folder, sealingKey, { size: 256, root: Buffer.alloc(32), state, open: new Map(), runs: [] })
  const [body = '', mark = ''] = (await readFile(path, 'utf8')).split('\n')
  assert.equal((await readPrunedLog(folder, sealingKey))?.size, 256)
  const forged = body.replace('"latestMs":0', '"latestMs":1')
  assert.notEqual(forged, body)
  const other = createHmac('sha256', createSecretKey(Buffer.alloc(32)))
    .update(forged)
    .digest('base64')
  for (const text of [`${forged}\n${mark}\n`, `${forged}\n`, `${forged}\n${other}\n`, `${body} \n${mark}\n`, '']) {
    await writeFile(path, text, { mode: 0o600 })
    await assert.rejects(readPrunedLog(folder, sealingKey), /not written by this gateway/)
  }
  await keepPrunedLog(folder, randomBytes(32), { size: 256, root: Buffer.alloc(32), state, open: new Map(), runs: [] })
  await assert.rejects(readPrunedLog(folder, sealingKey), /not written by this gateway/)
})

test('a record of another log, one that is larger, and none at all: a gateway does not start on any of them', async (t) => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'log')
  const signer = newSigner()
  await writeLog(log, signer, 0, 1000)
  const root = await rootAt(viewLogFolder(log), 512)
  await removeBundles(log, 512)
  const open = async (pruned?: { readonly size: number; readonly root: Uint8Array }): Promise<number> => {
    const { log: opened } = await openLog(await openLogFolder(log), signer, { pruned })
    const { size } = opened
    await opened.close()
    return size
  }
  await assert.rejects(open(), /entry 0 is missing/)
  await assert.rejects(open({ size: 512, root: Buffer.alloc(32, 1) }), /its first 512 entries are not those that were pruned/)
  await assert.rejects(open({ size: 256, root: await rootAt(viewLogFolder(log), 256) }), /entry 256 is missing/)
  await assert.rejects(open({ size: 1024, root }), /were pruned/)
  assert.equal(await open({ size: 512, root }), 1000)
  await rm(join(log, 'checkpoint'))
  await assert.rejects(open({ size: 512, root }), /no checkpoint/)
})
