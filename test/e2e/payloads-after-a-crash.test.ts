import assert from 'node:assert/strict'
import { copyFile, rename, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { capturing, cited, everythingSealed, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'
import { spawnGateway } from '../fixtures/whole-gateway.ts'

/** A crash between each two steps, as it leaves the folder; then the start after it. Reading answers once all was compared with the log. */

test('between the payload and its entry: nobody was answered, and the payload is destroyed', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const [kept] = await cited(whole)
  const [file = ''] = await payloadFiles(whole)
  await whole.stop()
  const [time, digest = '', ...rest] = basename(file).split(/(?<=^[0-9]{13})-|-(?=[0-9a-f]{20}-[0-9]+$)/)
  await copyFile(file, join(dirname(file), [time, digest.replaceAll(/[a-z]/g, 'x'), ...rest].join('-')))
  assert.equal((await payloadFiles(whole)).length, 2)
  await whole.start()
  const read = await operator(whole, ['log', 'payload', String(kept?.index)])
  assert.equal(read.code, 0, read.stderr)
  assert.deepEqual(await payloadFiles(whole), [file])
})

test('after the clock was set back: a payload that seems younger than its entry is kept', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const [kept] = await cited(whole)
  const [file = ''] = await payloadFiles(whole)
  await whole.stop()
  const later = join(
    dirname(file),
    basename(file).replace(/^[0-9]{13}/, (time) => String(Number(time) + 86_400_000)),
  )
  await rename(file, later)
  await whole.start()
  assert.equal((await operator(whole, ['log', 'payload', String(kept?.index)])).code, 0)
  assert.deepEqual(await payloadFiles(whole), [later])
})

test('within the write of a payload: what is there of it is destroyed', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const [file = ''] = await payloadFiles(whole)
  await whole.stop()
  await rename(file, `${file}.unfinished`)
  await whole.start()
  assert.deepEqual(await payloadFiles(whole), [])
})

test('between the entry of an erasure and the erasure, and within it: it is made good', async () => {
  await using whole = await startedCapturing()
  for (const amount of [1, 2]) assert.equal(await refund(whole, { amount }), '200')
  const [first, second] = await cited(whole)
  assert.ok(first && second)
  const files = await payloadFiles(whole)
  const aside = join(whole.folder, 'aside')
  const file = files.find((name) => name.includes(first.digest)) ?? ''
  await copyFile(file, aside)
  assert.equal((await operator(whole, ['log', 'erase', String(first.index), '--yes'])).code, 0)
  for (const left of [aside, undefined]) {
    await whole.stop()
    if (left === undefined) await writeFile(file, Buffer.alloc(400))
    else await copyFile(left, file)
    await whole.start()
    assert.match((await operator(whole, ['log', 'payload', String(first.index)])).stderr, /are gone/)
    assert.equal((await operator(whole, ['log', 'payload', String(second.index)])).code, 0)
    assert.deepEqual(
      await payloadFiles(whole),
      files.filter((name) => name !== file),
    )
  }
})

test('[L4] a gateway that is killed under load has the arguments of each entry that cites some, and no others', async () => {
  await using whole = await capturing()
  await whole.start()
  await whole.enrolAgent()
  await whole.stop()
  {
    await using spawned = await spawnGateway(whole)
    const client = await whole.agent('bot', spawned.addresses.agents)
    const ask = async (): Promise<void> => {
      for (;;) {
        const answer = await client.callHttp('payments', {
          method: 'POST',
          path: '/refunds',
          headers: [['content-type', 'application/json']],
          body: Buffer.from('{"amount":1}'),
        })
        if (answer.kind === 'refused') return
        for await (const piece of answer.body) void piece
      }
    }
    const asking = Array.from({ length: 8 }, () => ask().catch(() => undefined))
    while (whole.seen.length < 30) await wait(5)
    spawned.child.kill('SIGKILL')
    await Promise.all(asking)
  }
  await whole.stop()
  const { logKey } = await whole.start()
  const entries = await cited(whole)
  assert.ok(entries.length >= whole.seen.length, `${entries.length} entries, ${whole.seen.length} calls`)
  for (const { index } of entries) assert.equal((await operator(whole, ['log', 'payload', String(index)])).code, 0, String(index))
  assert.equal((await payloadFiles(whole)).length, entries.length)
  await whole.stop()
  await whole.assertLogVerifies(logKey)
})

test('a payload whose file was removed by hand is missed when it is read', async () => {
  await using whole = await startedCapturing(everythingSealed)
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const [entry] = await cited(whole)
  const [file = ''] = await payloadFiles(whole)
  await unlink(file)
  assert.match((await operator(whole, ['log', 'payload', String(entry?.index)])).stderr, /vanished/)
})
