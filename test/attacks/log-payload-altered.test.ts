// Someone who can write the data folder changes what is kept, and someone who even has the gateway's keys seals other arguments in their place.
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { PayloadSeal } from '../../packages/gateway/src/audit/payload.ts'
import { deriveKey } from '../../packages/gateway/src/control/data-folder.ts'
import { readKeyFile } from '../../packages/gateway/src/drivers/key-file/key-file.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { firstCited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'
import { principalOf } from '../fixtures/access-request.ts'

test('a bit flipped anywhere in what is kept is seen', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const { index } = await firstCited(whole)
  const [file = ''] = await payloadFiles(whole)
  const own = await readFile(file)
  for (const at of [0, 20, 70, 71, 90, own.length - 1]) {
    await writeFile(
      file,
      own.map((byte, place) => (place === at ? byte ^ 1 : byte)),
    )
    const read = await operator(whole, ['log', 'payload', String(index)])
    assert.match(read.stderr, /altered/, String(at))
    assert.equal(read.stdout, '')
  }
  await writeFile(file, own.subarray(0, 40))
  assert.match((await operator(whole, ['log', 'payload', String(index)])).stderr, /altered/)
})

test('other arguments that were sealed with the stolen key do not stand in their place: the log says the digest', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 9_000_000 }), '200')
  const { index, request } = await firstCited(whole)
  const key = await readKeyFile(join(whole.data, 'sealing.key'))
  const seal = new PayloadSeal({
    keys: recordSeal(deriveKey(key, 'payload-keys'), randomBytes),
    under: (own) => recordSeal(own, randomBytes),
    digestKey: createSecretKey(randomBytes(32)),
    random: randomBytes,
  })
  const forged = seal.seal({ id: request, principal: await principalOf('acme', 'bot') }, { arguments: { amount: 1 } }, Date.now())
  const [file = ''] = await payloadFiles(whole)
  await writeFile(file, forged.bytes)
  const read = await operator(whole, ['log', 'payload', String(index)])
  assert.match(read.stderr, /not what the log cites/)
  // Under a name of its own it is no more: no entry cites it, so it is destroyed.
  await whole.stop()
  await rename(file, file.replace(/-[A-Za-z0-9_-]{43}-/, `-${forged.cited.digest}-`))
  await whole.start()
  assert.match((await operator(whole, ['log', 'payload', String(index)])).stderr, /are gone/)
  assert.deepEqual(await payloadFiles(whole), [])
})
