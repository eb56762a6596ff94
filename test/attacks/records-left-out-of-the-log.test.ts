import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogEvent } from '@sallyport/contract'
import { ed25519Signer } from '../../packages/gateway/src/audit/log-key.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { readLogKey } from '../../packages/gateway/src/control/data-folder.ts'
import { openLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('[L3] whoever holds the key of the log and writes it anew without some records of an agent is convicted by their numbers, at the first entry that shows it', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  await bot.open()
  await bot.send(1, [happened('one'), happened('two'), happened('three')])
  await bot.send(4, [happened('four')], { isLast: true })
  const { logKey } = whole.running
  await whole.stop()
  const events = await whole.events()
  const key = await readLogKey(whole.data)

  const verify = async (kept: readonly LogEvent[]): Promise<{ readonly code: number; readonly said: string }> => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-rewritten-'))
    try {
      const { log } = await openLog(await openLogFolder(folder), ed25519Signer(key, createSecretKey(Buffer.alloc(32))))
      for (const event of kept) await log.append(event)
      await log.close()
      const { code, stdout, stderr } = await operator(whole, ['log', 'verify', '--from', folder, '--key', logKey, '--json'])
      return { code, said: stdout + stderr }
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  assert.equal((await verify(events)).code, 0, 'as it was')
  const at = (kind: string): number => events.findIndex((event) => event.type === 'record' && event.kind === kind)
  for (const left of ['one', 'two', 'three', 'four']) {
    const { code, said } = await verify(events.filter((_, index) => index !== at(left)))
    assert.equal(code, 1, said)
    assert.match(said, /records-unordered/, left)
    assert.match(said, new RegExp(`"index": ?${at(left)}\\b`), left)
  }
})
