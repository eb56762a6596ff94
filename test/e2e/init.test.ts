import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { initialise } from '@sallyport/gateway'
import { readLogKey } from '../../packages/gateway/src/control/data-folder.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a log is named once: init keeps the name, and takes no other', async () => {
  await using whole = await wholeGateway('gateway-2')
  const key = await readFile(join(whole.data, 'log.key'), 'utf8')
  for (const name of [undefined, 'gateway-2']) await initialise(whole.data, 'agents.example', name)
  await assert.rejects(initialise(whole.data, 'agents.example', 'sallyport'), /the log of this folder is named agents\.example\/gateway-2 already/)
  assert.equal(await readFile(join(whole.data, 'log.key'), 'utf8'), key)
  assert.equal((await readLogKey(whole.data)).origin, 'agents.example/gateway-2')
})

test('a log key without a name, or with one that no note can carry, starts nothing', async () => {
  await using whole = await wholeGateway()
  await whole.configure([], [])
  const file = join(whole.data, 'log.key')
  const key = await readFile(file, 'utf8')
  for (const first of ['', 'Log: a b\n', 'Log: a+b\n', 'Log: \n']) {
    await writeFile(file, key.replace(/^Log: .*\n/, first))
    await assert.rejects(whole.start(), /log\.key does not begin with the name of its log/)
  }
})
